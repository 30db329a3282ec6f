//! `cargo xtask ci`: formatting, clippy, doc comments, tidy, the public interface, generated code, SDK,
//! browser and tests, as in CI.

use std::process::ExitCode;

use crate::{api, browser, cargo, custom_host, new, sdk, test, tidy};

/// Checks that are one cargo command, and how to fix a failure.
const CHECKS: [(&[&str], &str); 3] = [
    (&["fmt", "--all", "--check"], "run `cargo fmt --all`"),
    (&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], "fix the warnings above"),
    (
        &["doc", "--workspace", "--no-deps", "--quiet", "--config", "build.rustdocflags=['-D', 'warnings']"],
        "fix the links of doc comments above",
    ),
];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.is_empty(), "`cargo xtask ci` takes no arguments");
    for (check, remedy) in CHECKS {
        let name = check.join(" ");
        eprintln!("ci: cargo {name}");
        anyhow::ensure!(cargo::run(check)?, "ci stops at `cargo {name}`: {remedy}");
    }
    for check in [
        &["fmt", "--all", "--check"][..],
        &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    ] {
        let args = custom_host::args(check)?;
        let name = args.join(" ");
        eprintln!("ci: cargo {name}");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        anyhow::ensure!(cargo::run(&args)?, "ci stops at `cargo {name}`: see above");
    }
    eprintln!("ci: cargo xtask tidy");
    let tidy = tidy::run(&[])?;
    anyhow::ensure!(tidy == ExitCode::SUCCESS, "ci stops at `cargo xtask tidy`: fix what is listed above");
    eprintln!("ci: cargo xtask api --check");
    let api = api::run(&["--check".to_owned()])?;
    anyhow::ensure!(api == ExitCode::SUCCESS, "ci stops at `cargo xtask api --check`: see above");
    eprintln!("ci: cargo xtask new --check");
    anyhow::ensure!(
        new::run(&["--check".to_owned()])? == ExitCode::SUCCESS,
        "ci stops at `cargo xtask new --check`"
    );
    eprintln!("ci: cargo xtask sdk");
    anyhow::ensure!(sdk::run(&[])? == ExitCode::SUCCESS, "ci stops at `cargo xtask sdk`: see above");
    eprintln!("ci: cargo xtask browser");
    anyhow::ensure!(
        browser::run(&[])? == ExitCode::SUCCESS,
        "ci stops at `cargo xtask browser`: see above, and target/screenshots"
    );
    // Last, because its last line is the summary.
    eprintln!("ci: cargo xtask test");
    test::run(&[])
}
