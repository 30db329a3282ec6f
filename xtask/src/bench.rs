//! `cargo xtask bench [store | flows | requests | lists | links]`: runs the benchmarks.

use std::process::ExitCode;

use crate::cargo;

/// The benchmarks, and their packages.
const BENCHES: [(&str, &str); 5] = [
    ("store", "atoll-storage"),
    ("flows", "atoll-tests"),
    ("requests", "atoll-tests"),
    ("lists", "atoll-tests"),
    ("links", "atoll-tests"),
];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    let named = |name: &str| args.is_empty() || args.iter().any(|it| it == name);
    for (bench, package) in BENCHES.into_iter().filter(|(name, _)| named(name)) {
        if !cargo::run(&["bench", "-p", package, "--bench", bench])? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
