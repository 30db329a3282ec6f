//! `cargo xtask bench`

use std::process::ExitCode;

use crate::cargo;

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let mut bench = vec!["bench", "-p", "atoll-storage", "--bench", "store"];
    bench.extend(args.iter().map(String::as_str));
    Ok(if cargo::run(&bench)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
