//! `cargo xtask dashboard`: builds the public dashboard of the original from the npm registry, and tests that
//! its pages work with this API.

use std::process::ExitCode;

use crate::{
    browser::{self, run_in},
    cargo,
};

/// Builds the dashboard into `target/dashboard`; with `--test`, opens all of its addresses in a browser.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let is_tested = match args {
        [] => false,
        [it] if it == "--test" => true,
        _ => anyhow::bail!("`cargo xtask dashboard` takes `--test` or nothing"),
    };
    if !run_in("tests/dashboard", &[browser::INSTALL, ("npm", &["run", "--silent", "build"])])? {
        return Ok(ExitCode::FAILURE);
    }
    if !is_tested {
        eprintln!(
            "serve it with `atoll serve --dashboard {}`",
            cargo::root().join("target/dashboard").display()
        );
        return Ok(ExitCode::SUCCESS);
    }
    browser::run(&["../dashboard/dashboard.test.mjs".to_owned()])
}
