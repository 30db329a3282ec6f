//! `cargo xtask test`: runs the tests, and prints a summary as the last line.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    process::{ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::{cargo, custom_host};

/// Builds what `cargo xtask test` runs.
pub(crate) const BUILD: &[&str] = &["test", "--workspace", "--lib", "--bins", "--tests", "--no-run"];

/// What lets each shop of a test have its log in PostgreSQL, in place of memory.
pub(crate) const IN_POSTGRES: (&str, &str) = ("ATOLL_TEST_STORE", "postgres");

/// Tests that run once more so, where there is a PostgreSQL: a few of each kind, since all take their time.
const AGAIN: &[&str] =
    &["test", "--no-fail-fast", "--workspace", "--test", "flows", "--", "edges", "payments", "sagas"];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let mut tally = Tally::default();
    let mut is_ok = tally.run(&cargo_args(args))?;
    if args.is_empty() {
        if has_postgres() {
            is_ok &= tally.run_with(AGAIN, &[IN_POSTGRES])?;
        }
        // The examples of doc comments, which cargo runs apart from the other tests.
        is_ok &= tally.run(&["test", "--no-fail-fast", "--workspace", "--doc"])?;
        let example = custom_host::args(&["test", "--no-fail-fast", "--workspace"])?;
        is_ok &= tally.run(&example.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    writeln!(io::stdout(), "{}", tally.text())?;
    Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Is there a server of Debian's PostgreSQL? The packages of its clients have a folder of the same name.
fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|it| it.path().join("bin/initdb")).any(|it| it.exists())
}

/// The sums over all test programs.
#[derive(Default)]
struct Tally {
    n_passed: u64,
    n_failed: u64,
    n_skipped: u64,
}

impl Tally {
    /// Runs cargo, with its output passed through, and adds the results. Returns whether it succeeded.
    fn run(&mut self, args: &[&str]) -> anyhow::Result<bool> {
        self.run_with(args, &[])
    }

    /// As `run`, in this environment.
    fn run_with(&mut self, args: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<bool> {
        let mut test = cargo::command();
        test.args(args).envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut test = test.spawn().context("cargo does not start")?;
        let mut lines = BufReader::new(test.stdout.take().expect("it is piped"));
        let mut out = io::stdout().lock();
        let mut line = Vec::new();
        let n_failed = self.n_failed;
        while lines.read_until(b'\n', &mut line)? > 0 {
            out.write_all(&line)?;
            self.add(&String::from_utf8_lossy(&line));
            line.clear();
        }
        out.flush()?;
        let status = test.wait()?;
        if !status.success() && self.n_failed == n_failed {
            // The build failed, or a test program crashed: that must not look like success.
            eprintln!("cargo test failed outside of a test ({status}); that counts as one failure");
            self.n_failed += 1;
        }
        Ok(status.success())
    }

    /// Adds a line of output, if it is like `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split(';') {
            let Some((number, what)) = count.trim().split_once(' ') else { continue };
            let sum = match what {
                "passed" => &mut self.n_passed,
                "failed" => &mut self.n_failed,
                "ignored" => &mut self.n_skipped,
                _ => continue,
            };
            *sum += number.parse::<u64>().unwrap_or(0);
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} passed, {} failed", self.n_passed, self.n_failed);
        if self.n_skipped > 0 {
            text += &format!(", {} skipped", self.n_skipped);
        }
        text
    }
}

/// The arguments for cargo: everything, unless `args` select something.
fn cargo_args(args: &[String]) -> Vec<&str> {
    let names = args.iter().take_while(|arg| *arg != "--").filter_map(|arg| arg.split('=').next());
    let picks = |options: &[&str]| names.clone().any(|name| options.contains(&name));
    let mut all = vec!["test", "--no-fail-fast"];
    if !picks(&["-p", "--package", "--workspace"]) {
        all.push("--workspace");
        if !picks(&["--lib", "--bins", "--bin", "--tests", "--test", "--benches", "--bench", "--all-targets"])
        {
            all.extend(["--lib", "--bins", "--tests"]);
        }
    }
    all.extend(args.iter().map(String::as_str));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_sums_the_results_of_all_programs() {
        let mut tally = Tally::default();
        tally.add("running 4 tests\n");
        tally.add(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.01s\n",
        );
        assert_eq!(tally.text(), "3 passed, 0 failed");
        tally.add("test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out\n");
        assert_eq!(tally.text(), "4 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn given_test_targets_replace_the_default() {
        let args = |args: &[&str]| {
            let args: Vec<String> = args.iter().map(|&arg| arg.into()).collect();
            cargo_args(&args).join(" ")
        };
        assert_eq!(args(&[]), "test --no-fail-fast --workspace --lib --bins --tests");
        assert_eq!(args(&["price"]), "test --no-fail-fast --workspace --lib --bins --tests price");
        assert_eq!(args(&["-p", "atoll-tests", "--test=it"]), "test --no-fail-fast -p atoll-tests --test=it");
        assert_eq!(args(&["--", "--test"]), "test --no-fail-fast --workspace --lib --bins --tests -- --test");
    }
}
