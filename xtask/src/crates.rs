//! A rule of `cargo xtask tidy`: an allow-list of licences of all crates, and of crates.io as their source.
//! It reads the output of `cargo tree`, offline.

use anyhow::Context as _;

use crate::cargo;

/// Allowed licences. Of several that a crate offers, one is enough.
const LICENCES: &[&str] = &[
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
    "CC0-1.0", "ISC", "MIT", "MPL-2.0", "Unicode-3.0", "Unlicense", "Zlib",
];

/// Violations in the crates of the workspace. If crates were never downloaded, the check is skipped: nothing
/// was built from them either, and a missing network is not an error.
pub(crate) fn violations() -> anyhow::Result<Vec<String>> {
    let args = ["--workspace", "--offline", "--locked", "--edges", "all", "--prefix", "none"];
    let mut tree = cargo::command();
    let tree = tree.arg("tree").args(args).args(["--format", "{p}|{l}"]);
    let tree = tree.output().context("cargo does not start")?;
    if !tree.status.success() {
        eprintln!("tidy: licences were not checked: {}", String::from_utf8_lossy(&tree.stderr).trim());
        return Ok(Vec::new());
    }
    // `(*)` follows a crate that was listed before.
    let lines = std::str::from_utf8(&tree.stdout)?.lines().map(|it| it.trim_end_matches(" (*)"));
    let mut lines: Vec<&str> = lines.collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.into_iter().filter_map(violation).collect())
}

/// The violation in `name v1.0.0 (source)|licence`; crates from crates.io have no source there.
fn violation(line: &str) -> Option<String> {
    let (package, licence) = line.rsplit_once('|')?;
    let mut words = package.splitn(3, ' ');
    let (name, version) = (words.next()?, words.next()?);
    let source = words.next().unwrap_or_default().trim_start_matches("(proc-macro)").trim();
    let own = format!("({}", cargo::root().display());
    if !source.is_empty() && !source.starts_with(&own) {
        return Some(format!("{name} {version}: it comes from {source}, and not from crates.io"));
    }
    let tokens = licence.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens = tokens.split_whitespace().peekable();
    match any(&mut tokens) {
        Some(true) if tokens.next().is_none() => None,
        _ => Some(format!(
            "{name} {version}: its licence is `{licence}`, which `xtask/src/crates.rs` does not allow"
        )),
    }
}

type Tokens<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `a OR b`: is one of them allowed? `None` if it is not an expression.
fn any(tokens: &mut Tokens<'_>) -> Option<bool> {
    let mut is_allowed = all(tokens)?;
    while tokens.next_if_eq(&"OR").is_some() {
        is_allowed |= all(tokens)?;
    }
    Some(is_allowed)
}

/// `a AND b`: are all of them?
fn all(tokens: &mut Tokens<'_>) -> Option<bool> {
    let mut is_allowed = one(tokens)?;
    while tokens.next_if_eq(&"AND").is_some() {
        is_allowed &= one(tokens)?;
    }
    Some(is_allowed)
}

fn one(tokens: &mut Tokens<'_>) -> Option<bool> {
    let token = tokens.next()?;
    if token == "(" {
        let is_allowed = any(tokens)?;
        return tokens.next_if_eq(&")").map(|_| is_allowed);
    }
    // `MPL-2.0+` is that version or, as we like, a later one.
    let token = token.trim_end_matches('+');
    let name = match tokens.next_if_eq(&"WITH") {
        Some(_) => format!("{token} WITH {}", tokens.next()?),
        None => token.to_owned(),
    };
    Some(LICENCES.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_have_allowed_licences_and_sources() {
        assert_eq!(violations().expect("a list"), [""; 0]);
    }

    #[test]
    fn disallowed_dependencies_are_named() {
        let own = format!("atoll v0.1.0 ({}/crates/host)|MIT OR Apache-2.0", cargo::root().display());
        for good in [
            &own,
            "a v1.0.0|MIT",
            "a v1.0.0|MIT/Apache-2.0",
            "a v1.0.0|MPL-2.0+",
            "a v1.0.0 (proc-macro)|GPL-3.0 OR ISC",
            "a v1.0.0|(MIT OR GPL-3.0) AND Unicode-3.0",
            "a v1.0.0|Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert_eq!(violation(good), None, "{good}");
        }
        for bad in [
            "", "GPL-3.0", "MIT AND GPL-3.0", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0",
            "Apache-2.0 WITH Text",
        ] {
            let expected =
                format!("a v1.0.0: its licence is `{bad}`, which `xtask/src/crates.rs` does not allow");
            assert_eq!(violation(&format!("a v1.0.0|{bad}")), Some(expected));
        }
        for source in ["(https://github.com/a/a#0123)", "(registry `mine`)", "(/tmp/a)"] {
            let expected = format!("a v1.0.0: it comes from {source}, and not from crates.io");
            assert_eq!(violation(&format!("a v1.0.0 {source}|MIT")), Some(expected));
        }
    }
}
