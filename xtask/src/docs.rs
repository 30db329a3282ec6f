//! `cargo xtask docs`: the pages of `docs/` as a book.

use std::process::ExitCode;

use crate::cargo;

/// Builds `target/book` with mdBook, which is in a workspace of its own: no other command waits for it.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.is_empty(), "`cargo xtask docs` takes no arguments");
    let is_built = cargo::run(&[
        "run", "--quiet", "--locked", "--manifest-path", "xtask/book/Cargo.toml", "--target-dir", "target",
    ])?;
    Ok(if is_built { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
