//! `cargo xtask thorough`: randomised and crash tests with many more iterations.

use std::{env, process::ExitCode};

use anyhow::Context as _;

use crate::{cargo, package};

/// Variables for the number of iterations, with their values here; the environment overrides them.
const TIMES: [(&str, &str); 10] = [
    ("ATOLL_ROUNDS", "5000"),
    ("ATOLL_STATES", "1000000"),
    ("ATOLL_CHECKOUTS", "5000"),
    ("ATOLL_HISTORIES", "5000"),
    ("ATOLL_KILLS", "1000"),
    ("ATOLL_BACKUPS", "100"),
    ("ATOLL_ZOMBIES", "1000"),
    ("ATOLL_HISTORY_SECONDS", "3600"),
    ("ATOLL_BUYING_SECONDS", "600"),
    ("ATOLL_LAST_UNITS", "100"),
];

/// What is packaged and tried out, under a name of its own.
const PACKAGES: &str = "package";

/// Packages, test programs and tests.
const TESTS: [(&str, &str, &str); 9] = [
    ("atoll-tests", "it", "agree"),
    ("atoll-tests", "it", "rounds"),
    ("atoll-tests", "it", "stock"),
    ("atoll-tests", "kills", "killed"),
    ("atoll-tests", "backup", "under_load"),
    ("atoll-tests", "backup", "killed"),
    ("atoll-postgres", "postgres", "stopped_beyond_its_lease"),
    ("atoll-host", "cluster", "leaders_are_lost"),
    ("atoll-host", "cluster", "leaders_are_killed"),
];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    for (package, program, test) in TESTS
        .into_iter()
        .filter(|(_, program, test)| args.is_empty() || args.iter().any(|it| it == test || it == program))
    {
        let mut command = cargo::command();
        command.args(["test", "--release", "-p", package, "--test", program, test, "--", "--nocapture"]);
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
