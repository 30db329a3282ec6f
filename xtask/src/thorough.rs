//! `cargo xtask thorough`: randomised and crash tests with many more iterations, and suites over PostgreSQL.

use std::{
    env,
    process::{Command, ExitCode},
};

use anyhow::Context as _;

use crate::{cargo, package, test::IN_POSTGRES};

/// Variables for the number of iterations, and for what is tried here alone; the environment overrides them.
const TIMES: [(&str, &str); 11] = [
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
    ("ATOLL_PATRONI", "1"),
];

/// What is packaged and tried out, under a name of its own.
const PACKAGES: &str = "package";

/// Packages, test programs and tests.
const TESTS: [(&str, &str, &str); 10] = [
    ("atoll-tests", "it", "agree"),
    ("atoll-tests", "it", "rounds"),
    ("atoll-tests", "it", "stock"),
    ("atoll-tests", "kills", "killed"),
    ("atoll-tests", "backup", "under_load"),
    ("atoll-tests", "backup", "killed"),
    ("atoll-postgres", "postgres", "stopped_beyond_its_lease"),
    ("atoll-host", "cluster", "leaders_are_lost"),
    ("atoll-host", "cluster", "leaders_are_killed"),
    ("atoll-host", "cluster", "by_patroni"),
];

/// The suites that run over PostgreSQL, under a name of their own: programs of `atoll-tests`.
const SUITES: (&str, [&str; 3]) = ("suites", ["flows", "background", "it"]);

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let is_asked_for = |names: &[&str]| args.is_empty() || args.iter().any(|it| names.contains(&it.as_str()));
    for (package, program, test) in TESTS {
        if !is_asked_for(&[program, test]) {
            continue;
        }
        let mut command = tests(package, program);
        command.args([test, "--", "--nocapture"]);
        command.envs(TIMES.into_iter().filter(|(name, _)| env::var_os(name).is_none()));
        if !succeeds(command)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    for program in SUITES.1 {
        let mut command = tests("atoll-tests", program);
        command.envs([IN_POSTGRES]);
        if is_asked_for(&[SUITES.0]) && !succeeds(command)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    if is_asked_for(&[PACKAGES]) {
        return package::run(&[]);
    }
    Ok(ExitCode::SUCCESS)
}

fn tests(package: &str, program: &str) -> Command {
    let mut command = cargo::command();
    command.args(["test", "--release", "-p", package, "--test", program]);
    command
}

fn succeeds(mut command: Command) -> anyhow::Result<bool> {
    Ok(command.status().context("cargo does not start")?.success())
}
