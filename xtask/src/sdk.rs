//! `cargo xtask sdk`: tests with the public JavaScript SDK.

use std::process::ExitCode;

use crate::{browser::node_tests, cargo};

/// Builds the binary, and tests it.
pub(crate) fn run(_: &[String]) -> anyhow::Result<ExitCode> {
    if !cargo::run(&["build", "-p", "atoll-host"])? {
        return Ok(ExitCode::FAILURE);
    }
    test()
}

/// Runs the tests of `tests/sdk` with the unmodified public SDK against the binary that was built, under
/// Node's test runner.
pub(crate) fn test() -> anyhow::Result<ExitCode> {
    node_tests("tests/sdk", &[])
}
