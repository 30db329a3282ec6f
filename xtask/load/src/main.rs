//! The `atoll-load` program: see the library beside it.

use std::{env, process::ExitCode};

use mimalloc::MiMalloc;

// That of the host, so that the floor differs in what it does alone.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    atoll_load::main(env::args_os())
}
