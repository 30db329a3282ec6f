//! `cargo xtask api`: the public items of the crates that modules and hosts name, reviewed in `tests/api`.

use std::process::ExitCode;

use crate::cargo;

/// Writes the lists, or checks them. They are read from rustdoc's JSON by a program in a workspace of its
/// own, so that no other command waits for it.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let more: &[&str] = match args {
        [] => &[],
        [flag] if flag == "--check" => &["--", "--check"],
        _ => anyhow::bail!("usage: cargo xtask api [--check]"),
    };
    let program =
        ["run", "--quiet", "--locked", "--manifest-path", "xtask/api/Cargo.toml", "--target-dir", "target"];
    let is_done = cargo::run(&[&program[..], more].concat())?;
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
