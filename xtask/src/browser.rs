//! `cargo xtask browser`: tests of pages in a real browser.

use std::{
    env,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::Context as _;

use crate::cargo;

/// Where Debian installs Chromium; `ATOLL_CHROMIUM` names another one.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Builds the binary, and runs the stories of `tests/browser` against a demo that it serves. Arguments are
/// the files of stories to run, instead of all.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    if has_browser()? && !cargo::run(&["build", "-p", "atoll-host"])? {
        return Ok(ExitCode::FAILURE);
    }
    test(args)
}

/// The same with the binary that was built. Without a browser it says that the stories are skipped.
pub(crate) fn test(args: &[String]) -> anyhow::Result<ExitCode> {
    if has_browser()? {
        return node_tests("tests/browser", args);
    }
    eprintln!("skipped: the browser tests, as there is no browser (apt-get install chromium)");
    Ok(ExitCode::SUCCESS)
}

/// That there is none is an error in CI (`CI` is set).
fn has_browser() -> anyhow::Result<bool> {
    let chromium = env::var("ATOLL_CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    let is_there = Path::new(&chromium).exists();
    anyhow::ensure!(is_there || env::var_os("CI").is_none(), "there is no {chromium}, which CI installs");
    Ok(is_there)
}

/// A program and its arguments.
type Line<'a> = (&'static str, &'a [&'a str]);

/// Installs what the lock file of a folder names.
pub(crate) const INSTALL: Line<'_> = ("npm", &["ci", "--no-audit", "--no-fund", "--loglevel", "error"]);

/// Installs the packages of a folder of tests in JavaScript, checks the types, and runs the tests: all, or
/// those of these files.
pub(crate) fn node_tests(folder: &str, files: &[String]) -> anyhow::Result<ExitCode> {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let test = [&["--test"][..], &files].concat();
    let is_ok = run_in(folder, &[INSTALL, ("npm", &["run", "--silent", "check"]), ("node", &test)])?;
    Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs these programs in a folder, one after the other. Returns whether all succeeded.
pub(crate) fn run_in(folder: &str, lines: &[Line<'_>]) -> anyhow::Result<bool> {
    for (program, args) in lines {
        let status = Command::new(program)
            .args(*args)
            .current_dir(cargo::root().join(folder))
            .status()
            .with_context(|| format!("{program} does not start: {folder} needs Node"))?;
        if !status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}
