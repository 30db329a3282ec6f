//! Running cargo in the repository.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// The cargo that started this process, without the variables that it set for it: build scripts that depend
/// on them would run again, and half of the dependencies with them.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let is_ours = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start))
        });
        if is_ours {
            command.env_remove(name);
        }
    }
    command
}

/// Runs cargo with its output passed through. Returns whether it succeeded.
pub(crate) fn run(args: &[&str]) -> anyhow::Result<bool> {
    let mut cargo = command();
    let status = cargo.args(args).stdin(Stdio::null()).status().context("cargo does not start")?;
    Ok(status.success())
}
