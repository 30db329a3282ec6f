//! Lists the public items of the crates that modules and hosts name, from rustdoc's JSON, and compares them
//! with the files in `tests/api`.
//!
//! The JSON is unstable, which rustdoc has to be told by `RUSTC_BOOTSTRAP`. Cargo must not see that variable,
//! or it builds half of the dependencies anew: this program is its own `RUSTDOC`, and sets it for rustdoc
//! alone.

use std::{
    collections::BTreeSet,
    env, fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::Context as _;
use serde_json::Value;

/// The crates that modules and hosts name.
const NAMED: [&str; 5] = ["kernel", "checkout", "providers", "testkit", "host"];

/// The crates that the kernel hands on in part.
const BELOW: [&str; 5] = ["values", "schema", "storage", "query", "http"];

/// Where the lists are.
const FOLDER: &str = "tests/api";

/// The upper bound of the changes that are printed.
const SHOWN_MAX: usize = 60;

/// Set when cargo runs this program as rustdoc.
const AS_RUSTDOC: &str = "ATOLL_API_AS_RUSTDOC";

fn main() -> anyhow::Result<ExitCode> {
    if env::var_os(AS_RUSTDOC).is_some() {
        let status =
            Command::new("rustdoc").args(env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let only_check = env::args().skip(1).any(|it| it == "--check");
    let handed_on = handed_on(&json_of("kernel")?)?;
    let mut is_same = true;
    for name in NAMED {
        let lines = items(name, |_| true)?;
        is_same &= compare(name, "All public items", &lines, only_check)?;
    }
    for name in BELOW {
        let lines = items(name, |path| handed_on.iter().any(|it| is_in(path, it)))?;
        is_same &= compare(name, "The public items that the kernel hands on", &lines, only_check)?;
    }
    if only_check && !is_same {
        eprintln!(
            "\nThe public interface has changed. Run `cargo xtask api`, read the difference of {FOLDER}, and \
             commit it; what breaks a module or a host is a line in CHANGELOG.md (docs/stability.md says what may)."
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The file with rustdoc's JSON of a crate.
fn json_of(name: &str) -> anyhow::Result<String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = format!("atoll-{name}");
    let status = Command::new(cargo)
        .args(["rustdoc", "--quiet", "--package", &package, "--lib", "--target-dir", "target", "--"])
        .args(["-Zunstable-options", "--output-format", "json", "--cap-lints", "allow"])
        .env("RUSTDOC", env::current_exe()?)
        .env(AS_RUSTDOC, "1")
        .status()?;
    anyhow::ensure!(status.success(), "rustdoc failed on {package}");
    Ok(format!("target/doc/{}.json", package.replace('-', "_")))
}

/// The paths of the items of other crates of Atoll that a crate re-exports: `atoll_storage::Index`.
fn handed_on(json: &str) -> anyhow::Result<BTreeSet<String>> {
    let json: Value = serde_json::from_str(&fs::read_to_string(json)?)?;
    let items = json["index"].as_object().context("rustdoc's JSON has no index")?;
    let sources = items.values().filter_map(|it| it["inner"]["use"]["source"].as_str());
    Ok(sources.filter(|it| it.starts_with("atoll_")).map(str::to_owned).collect())
}

/// The public items of a crate whose path is wanted, one line each, in order.
fn items(name: &str, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Vec<String>> {
    let api = public_api::Builder::from_rustdoc_json(json_of(name)?)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()?;
    let own = format!("atoll_{name}");
    let lines: BTreeSet<String> = api
        .items()
        .map(ToString::to_string)
        // `impl Type` says nothing: its functions are lines of their own.
        .filter(|line| !line.starts_with("impl") || line.contains(" for "))
        .filter(|line| subject(line, &own).is_some_and(&is_wanted))
        .map(|line| short(&line, &own))
        .collect();
    Ok(lines.into_iter().collect())
}

/// Runs of text that are paths, and what is between them, in turn.
fn runs(line: &str) -> impl Iterator<Item = &str> {
    let is_path = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    let mut rest = line;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|it| is_path(it) != is_path(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

/// The path of the item that a line is about: of an implementation, the type that it is for.
fn subject<'a>(line: &'a str, own: &str) -> Option<&'a str> {
    let of = match line.strip_prefix("impl") {
        Some(it) => it.split_once(" for ").map_or(it, |(_, it)| it),
        None => line,
    };
    runs(of).find(|it| *it == own || it.strip_prefix(own).is_some_and(|it| it.starts_with("::")))
}

/// Is this path that item, or in it?
fn is_in(path: &str, item: &str) -> bool {
    path.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// A line with the names of the standard library and of other crates without their paths, which say where a
/// type is defined and not how it is reached.
fn short(line: &str, own: &str) -> String {
    runs(line)
        .map(|run| if is_foreign(run, own) { run.rsplit("::").next().unwrap_or(run) } else { run })
        .collect()
}

/// Is this a path of the standard library, or of another crate of Atoll?
fn is_foreign(run: &str, own: &str) -> bool {
    run.split_once("::").is_some_and(|(first, _)| {
        ["core", "alloc", "std"].contains(&first) || first.starts_with("atoll_") && first != own
    })
}

/// Compares the list of a crate with its file, prints what differs, and writes it unless it is only checked.
/// True if it is the same.
fn compare(name: &str, what: &str, lines: &[String], only_check: bool) -> anyhow::Result<bool> {
    let file = Path::new(FOLDER).join(format!("{name}.txt"));
    let head = format!("# {what}: crates/{name}. `cargo xtask api` writes this file.\n");
    let text: String = [head].into_iter().chain(lines.iter().map(|it| format!("{it}\n"))).collect();
    let before = fs::read_to_string(&file).unwrap_or_default();
    if before == text {
        return Ok(true);
    }
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), text.lines().collect());
    let gone = old.difference(&new).map(|it| format!("- {it}"));
    let added = new.difference(&old).map(|it| format!("+ {it}"));
    let changes: Vec<String> = gone.chain(added).collect();
    eprintln!("{}: {} lines differ", file.display(), changes.len());
    changes.iter().take(SHOWN_MAX).for_each(|it| eprintln!("  {it}"));
    if !only_check {
        fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    Ok(false)
}
