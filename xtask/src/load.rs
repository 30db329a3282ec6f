//! `cargo xtask load`: builds the release binary and the program that measures it, and runs that.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::Context as _;

use crate::cargo;

/// Flags of this command; all others are those of the program.
const DEBUG: &str = "--debug";
const BESIDE: &str = "--beside";

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let mut args = args.to_vec();
    let is_debug = args.iter().position(|it| it == DEBUG).map(|at| args.remove(at)).is_some();
    let beside = args.iter().position(|it| it == BESIDE).map(|at| {
        let mut taken = args.drain(at..args.len().min(at + 2));
        taken.next();
        taken.next()
    });
    let (profile, folder) = if is_debug { (None, "debug") } else { (Some("--release"), "release") };
    let build = ["build", "-p", "atoll-host", "--bin", "atoll"].into_iter().chain(profile);
    anyhow::ensure!(cargo::run(&build.collect::<Vec<_>>())?, "the binary does not build");
    let mut run: Vec<String> = ["run", "--quiet", "-p", "atoll-load"].map(str::to_owned).into();
    run.extend(profile.map(str::to_owned));
    let (binary, commit) = (format!("target/{folder}/atoll"), git(&["describe", "--always", "--dirty"])?);
    run.extend(["--", "--binary", &binary, "--commit", &commit].map(str::to_owned));
    if let Some(beside) = beside {
        let commit = git(&["rev-parse", "--short", &beside.context("`--beside` takes a commit")?])?;
        let binary = build_beside(&commit)?.display().to_string();
        run.extend([BESIDE, &commit, "--beside-binary", &binary].map(str::to_owned));
    }
    run.extend(args);
    let is_done = cargo::run(&run.iter().map(String::as_str).collect::<Vec<_>>())?;
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The release binary of another commit, built once in a worktree of its own.
fn build_beside(commit: &str) -> anyhow::Result<PathBuf> {
    let folder = Path::new("target/load").join(commit);
    let binary = folder.join("atoll");
    if cargo::root().join(&binary).exists() {
        return Ok(binary);
    }
    let (source, target) = (folder.join("source"), folder.join("target"));
    let (path, root) = (source.display().to_string(), cargo::root());
    let _ = git(&["worktree", "remove", "--force", &path]);
    git(&["worktree", "add", "--detach", "--force", &path, commit])?;
    let mut build = cargo::command();
    build.args(["build", "--release", "-p", "atoll-host", "--bin", "atoll", "--target-dir"]);
    build.arg(root.join(&target)).current_dir(root.join(&source));
    anyhow::ensure!(build.status().context("cargo does not start")?.success(), "{commit} does not build");
    fs::copy(root.join(&target).join("release/atoll"), root.join(&binary))?;
    git(&["worktree", "remove", "--force", &path])?;
    fs::remove_dir_all(root.join(&target))?;
    Ok(binary)
}

/// The output of git, which must succeed.
fn git(args: &[&str]) -> anyhow::Result<String> {
    let done = Command::new("git").args(args).current_dir(cargo::root()).output();
    let done = done.context("git does not start")?;
    let problem = String::from_utf8_lossy(&done.stderr);
    anyhow::ensure!(done.status.success(), "git {}: {}", args.join(" "), problem.trim());
    Ok(String::from_utf8(done.stdout)?.trim().to_owned())
}
