//! The host in `examples/custom-host`: a workspace of its own, built with the versions and the target folder
//! of the repository.

use std::fs;

use anyhow::Context as _;

use crate::cargo;

/// Its folder.
const FOLDER: &str = "examples/custom-host";

/// The arguments of a cargo command on the example. Its `Cargo.lock` is taken from that of the repository, so
/// that both build the same crates; git ignores it.
pub(crate) fn args(command: &[&str]) -> anyhow::Result<Vec<String>> {
    let lock = cargo::root().join(FOLDER).join("Cargo.lock");
    fs::copy(cargo::root().join("Cargo.lock"), &lock)
        .with_context(|| format!("failed to write `{}`", lock.display()))?;
    let (name, more) = command.split_first().context("a command of cargo")?;
    let manifest = format!("{FOLDER}/Cargo.toml");
    let mut args = vec![(*name).to_owned(), "--manifest-path".to_owned(), manifest];
    if *name != "fmt" {
        args.extend(["--target-dir", "target"].map(str::to_owned));
    }
    args.extend(more.iter().map(|it| (*it).to_owned()));
    Ok(args)
}
