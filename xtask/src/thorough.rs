//! `cargo xtask thorough`: randomised and crash tests with many more iterations.

use std::{env, process::ExitCode};

use anyhow::Context as _;

use crate::{cargo, package};

/// Variables for the number of iterations, with their values here; the environment overrides them.
const TIMES: [(&str, &str); 6] = [
    ("ATOLL_ROUNDS", "5000"),
    ("ATOLL_STATES", "1000000"),
    ("ATOLL_CHECKOUTS", "5000"),
    ("ATOLL_HISTORIES", "5000"),
    ("ATOLL_KILLS", "1000"),
    ("ATOLL_BACKUPS", "100"),
];

/// What is packaged and tried out, under a name of its own.
const PACKAGES: &str = "package";

/// Test programs and tests.
const TESTS: [(&str, &str); 6] = [
    ("it", "agree"),
    ("it", "rounds"),
    ("it", "stock"),
    ("kills", "killed"),
    ("backup", "under_load"),
    ("backup", "killed"),
];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    for (program, test) in TESTS
        .into_iter()
        .filter(|(program, test)| args.is_empty() || args.iter().any(|it| it == test || it == program))
    {
        let mut command = cargo::command();
        command
            .args(["test", "--release", "-p", "atoll-tests", "--test", program, test, "--", "--nocapture"]);
        for (name, times) in TIMES.into_iter().filter(|(name, _)| env::var_os(name).is_none()) {
            command.env(name, times);
        }
        if !command.status().context("cargo does not start")?.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    if args.is_empty() || args.iter().any(|it| it == PACKAGES) {
        return package::run(&[]);
    }
    Ok(ExitCode::SUCCESS)
}
