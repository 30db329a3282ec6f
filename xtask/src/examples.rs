//! `cargo xtask examples`: the examples of `/openapi.json`, from the recordings.

use std::process::ExitCode;

use crate::cargo;

const TEST: [&str; 9] = [
    "test", "-q", "-p", "atoll-tests", "--test", "replay", "--", "--exact",
    "examples_are_those_of_the_recordings",
];

/// Replays the recordings, and writes an example of each operation to `crates/api/src/examples.json`. The
/// test that writes it fails otherwise if the file is not what it would write.
pub(crate) fn run(_: &[String]) -> anyhow::Result<ExitCode> {
    let written = cargo::command().args(TEST).env("UPDATE_EXPECT", "1").status()?;
    Ok(if written.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
