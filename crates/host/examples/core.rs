//! The core alone, without the modules and extensions that the `atoll` program links in: `cargo xtask
//! registry` and `cargo xtask format` describe it.

use std::process::ExitCode;

use atoll_host::Host;

fn main() -> ExitCode {
    Host::new().main()
}
