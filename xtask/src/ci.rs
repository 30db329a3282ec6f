//! `cargo xtask ci`: formatting, clippy, doc comments, tidy, the public interface, generated code, SDK,
//! browser and tests, as in CI; and how long each took.

use std::{process::ExitCode, time::Instant};

use crate::{api, browser, cargo, custom_host, new, sdk, test, tidy};

const FMT: &[&str] = &["fmt", "--all", "--check"];
const CLIPPY: &[&str] = &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
const DOC: &[&str] =
    &["doc", "--workspace", "--no-deps", "--quiet", "--config", "build.rustdocflags=['-D', 'warnings']"];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.is_empty(), "`cargo xtask ci` takes no arguments");
    for check in [FMT, CLIPPY, DOC] {
        step(&format!("cargo {}", check.join(" ")), || cargo::run(check))?;
    }
    for check in [FMT, CLIPPY] {
        let args = custom_host::args(check)?;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        step(&format!("cargo {}", args.join(" ")), || cargo::run(&args))?;
    }
    let succeeds = |done: anyhow::Result<ExitCode>| Ok(done? == ExitCode::SUCCESS);
    step("cargo xtask tidy", || succeeds(tidy::run(&[])))?;
    step("cargo xtask api --check", || succeeds(api::run(&["--check".to_owned()])))?;
    step("cargo xtask new --check", || succeeds(new::run(&["--check".to_owned()])))?;
    // SDK and browser test the binary that is built with the tests: one that is built for them alone has
    // other features of `tokio`, and all that stands on it would be built twice.
    step(&format!("cargo {}", test::BUILD.join(" ")), || cargo::run(test::BUILD))?;
    step("cargo xtask sdk", || succeeds(sdk::test()))?;
    // What the browser saw is in `target/screenshots`.
    step("cargo xtask browser", || succeeds(browser::test(&[])))?;
    // Last, because its last line is the summary.
    eprintln!("ci: cargo xtask test");
    test::run(&[])
}

/// Runs a check, and says how long it took. An error ends the run: what is wrong stands above it.
fn step(name: &str, check: impl FnOnce() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    eprintln!("ci: {name}");
    let begun = Instant::now();
    anyhow::ensure!(check()?, "ci stops at `{name}`: see above");
    eprintln!("ci: {name} took {} s", begun.elapsed().as_secs());
    Ok(())
}
