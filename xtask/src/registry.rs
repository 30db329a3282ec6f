//! `cargo xtask registry`: the list of everything that is linked in, reviewed in `tests/registry.txt`.

use std::{
    fs,
    io::{self, Write as _},
    process::{ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::cargo;

const FILE: &str = "tests/registry.txt";
const CHECK: [&str; 8] = ["run", "-q", "-p", "atoll-host", "--example", "core", "--", "check"];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let only_check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => anyhow::bail!("usage: cargo xtask registry [--check]"),
    };
    let check = cargo::command().args(CHECK).stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(check.status.success(), "`atoll check` failed: {}", check.status);
    let registry = String::from_utf8(check.stdout).context("`atoll check` does not write UTF-8")?;
    let file = cargo::root().join(FILE);
    let before = match fs::read_to_string(&file) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).context(FILE),
    };
    if before.as_ref() == Some(&registry) {
        writeln!(io::stdout(), "{FILE} is up to date")?;
        return Ok(ExitCode::SUCCESS);
    }
    if only_check {
        let difference = match &before {
            Some(before) => format!("line {} differs", first_difference(before, &registry)),
            None => "it does not exist".to_owned(),
        };
        anyhow::bail!(
            "{FILE} is out of date: {difference}; run `cargo xtask registry`, and review what changed"
        );
    }
    fs::write(&file, registry).context(FILE)?;
    writeln!(io::stdout(), "{FILE} is written")?;
    Ok(ExitCode::SUCCESS)
}

/// The first line, from 1, that is not the same in both.
fn first_difference(before: &str, after: &str) -> usize {
    let (before, after) = (before.split('\n'), after.split('\n'));
    before.zip(after).take_while(|(before, after)| before == after).count() + 1
}
