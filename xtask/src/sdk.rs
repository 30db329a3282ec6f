//! `cargo xtask sdk`: tests with the public JavaScript SDK.

use std::process::{Command, ExitCode};

use anyhow::Context as _;

use crate::cargo;

/// Runs the tests of `tests/sdk` with the unmodified public SDK against a served binary, under Node's test
/// runner.
pub(crate) fn run(_: &[String]) -> anyhow::Result<ExitCode> {
    if !cargo::run(&["build", "-p", "atoll-host"])? {
        return Ok(ExitCode::FAILURE);
    }
    for (program, args) in [
        ("npm", &["ci", "--no-audit", "--no-fund", "--loglevel", "error"][..]),
        ("npm", &["run", "--silent", "check"]),
        ("node", &["--test"]),
    ] {
        let status = Command::new(program)
            .args(args)
            .current_dir(cargo::root().join("tests/sdk"))
            .status()
            .with_context(|| format!("{program} does not start: the SDK's tests need Node"))?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
