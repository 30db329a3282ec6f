//! `cargo xtask new --check`: generates everything, lints and tests it, takes it back, and compares the tree.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;

use super::{Asked, KINDS};
use crate::cargo;

/// The crates that are generated; parts go into the first.
const CRATES: [(&str, &str); 2] = [("module", "sample-module"), ("extension", "sample-extension")];

/// Generates all kinds together, and runs clippy and their tests.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    let all = all()?;
    let mut before: Vec<(PathBuf, String)> = Vec::new();
    for name in ["Cargo.toml", "Cargo.lock", "crates/host/Cargo.toml", "crates/host/src/bin/atoll.rs"] {
        let path = cargo::root().join(name);
        before.push((path.clone(), fs::read_to_string(&path).with_context(|| name.to_owned())?));
    }
    let made = all.iter().try_for_each(|asked| super::generate(asked).map(drop));
    let packages = CRATES.map(|(_, name)| format!("atoll-{name}"));
    let packages: Vec<&str> = packages.iter().flat_map(|it| ["-p", it]).collect();
    let passed = made.and_then(|()| {
        let lint: [&[_]; 3] =
            [&["clippy", "--quiet", "--no-deps", "--all-targets"], &packages, &["--", "-D", "warnings"]];
        let test: [&[_]; 2] = [&["test", "--quiet"], &packages];
        Ok(cargo::run(&lint.concat())? && cargo::run(&test.concat())?)
    });
    // Also after a failure, the last first.
    let removed = all.iter().rev().try_for_each(super::take_back);
    anyhow::ensure!(passed?, "generated code has warnings or fails its tests");
    removed?;
    for (path, text) in before {
        if path.ends_with("Cargo.lock") {
            // The next build would take the generated crates out again.
            fs::write(&path, text)?;
            continue;
        }
        let is_same = fs::read_to_string(&path)? == text;
        anyhow::ensure!(is_same, "`remove` leaves {} changed", path.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// One of each kind.
fn all() -> anyhow::Result<Vec<Asked>> {
    let mut all = Vec::new();
    for (kind, name) in CRATES {
        all.push(Asked::parse(&[kind.to_owned(), name.to_owned()], "new")?);
    }
    let within = CRATES[0].1;
    for kind in KINDS.iter().filter(|it| it.is_part) {
        let args = [kind.name, &format!("sample-{}", kind.name), "--in", within].map(str::to_owned);
        all.push(Asked::parse(&args, "new")?);
    }
    Ok(all)
}
