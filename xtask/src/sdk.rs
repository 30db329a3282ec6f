//! `cargo xtask sdk`: tests with the public JavaScript SDK.

use std::process::ExitCode;

use crate::{browser::node_tests, cargo};

/// Runs the tests of `tests/sdk` with the unmodified public SDK against a served binary, under Node's test
/// runner.
pub(crate) fn run(_: &[String]) -> anyhow::Result<ExitCode> {
    if !cargo::run(&["build", "-p", "atoll-host"])? {
        return Ok(ExitCode::FAILURE);
    }
    node_tests("tests/sdk", &[])
}
