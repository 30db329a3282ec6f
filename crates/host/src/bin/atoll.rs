//! The `atoll` program: a host with the core's modules.

use std::process::ExitCode;

use atoll_host::Host;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    Host::new().main()
}
