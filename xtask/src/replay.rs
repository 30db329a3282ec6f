//! `cargo xtask replay [text]`: replays the recordings of the original API.

use std::{fs, io::Write as _, process::ExitCode};

use crate::cargo;

/// Replays the recordings, and prints the open differences; with a text, those of requests that contain it.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let passed = cargo::run(&["test", "-q", "-p", "atoll-tests", "--test", "replay"])?;
    let report = cargo::root().join("target/tmp/replay.txt");
    let text = fs::read_to_string(report)?;
    let mut is_shown = args.is_empty();
    let mut out = std::io::stdout().lock();
    for line in text.lines() {
        if !line.starts_with(' ') {
            is_shown = args.iter().all(|it| line.contains(it.as_str()));
        }
        if is_shown {
            writeln!(out, "{line}")?;
        }
    }
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
