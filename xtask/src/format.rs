//! `cargo xtask format`: the storage format, reviewed in `tests/format.txt`, and data folders of earlier
//! formats in `tests/data`, which the migration tests open.
//!
//! The file begins with a number. It is incremented when a line is removed or changed: a field, a version,
//! the fields of an index. Additions do not change it, words of an enumeration included. Every earlier format
//! has a folder, made by the last program that wrote it.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::cargo;

pub(crate) const FILE: &str = "tests/format.txt";
const FOLDERS: &str = "tests/data";
const CHECK: [&str; 9] = ["run", "-q", "-p", "atoll-host", "--example", "core", "--", "check", "--format"];
const MAKE: [&str; 9] = [
    "test",
    "-q",
    "-p",
    "atoll-tests",
    "--test",
    "it",
    "--",
    "--exact",
    "formats::data_of_this_format_is_opened_completely",
];

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    match args {
        [] => write(),
        [flag] if flag == "--folder" => make_folder(),
        _ => anyhow::bail!("usage: cargo xtask format [--folder]"),
    }
}

/// Writes the file, with the number of the last commit, or the next one.
fn write() -> anyhow::Result<ExitCode> {
    let check = cargo::command().args(CHECK).stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(check.status.success(), "`atoll check --format` failed: {}", check.status);
    let lines = String::from_utf8(check.stdout).context("`atoll check` does not write UTF-8")?;
    let before = committed(cargo::root(), "HEAD").or_else(|| newest(cargo::root()));
    let before = before.unwrap_or(Format { number: 1, lines: BTreeSet::new() });
    let mut format = Format::parse(&format!("format {}\n{lines}", before.number)).expect("it has a number");
    let lost: Vec<String> = format.lacks(&before).cloned().collect();
    let mut out = io::stdout().lock();
    if !lost.is_empty() {
        format.number += 1;
        lost.iter().try_for_each(|it| writeln!(out, "removed or changed: {it}"))?;
    }
    fs::write(cargo::root().join(FILE), format!("format {}\n{lines}", format.number)).context(FILE)?;
    writeln!(out, "{FILE} is written: format {}", format.number)?;
    for missing in missing(cargo::root(), format.number) {
        writeln!(out, "{missing}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a data folder of the current format.
fn make_folder() -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(cargo::root().join(FILE)).context(FILE)?;
    let number = Format::parse(&text).context("it does not begin with a number")?.number;
    let folder = cargo::root().join(FOLDERS).join(number.to_string());
    anyhow::ensure!(!folder.exists(), "{FOLDERS}/{number} exists already");
    fs::create_dir_all(&folder)?;
    let made = cargo::command().args(MAKE).env("ATOLL_FORMAT_FOLDER", &folder).status()?;
    if !made.success() {
        fs::remove_dir_all(&folder)?;
        anyhow::bail!("the folder was not made: {made}");
    }
    fs::write(folder.join("format.txt"), text)?;
    writeln!(io::stdout(), "{FOLDERS}/{number} is made")?;
    Ok(ExitCode::SUCCESS)
}

/// A storage format.
pub(crate) struct Format {
    pub(crate) number: u32,
    /// Lines, each with its part in front.
    lines: BTreeSet<String>,
}

impl Format {
    pub(crate) fn parse(text: &str) -> Option<Format> {
        let (first, rest) = text.split_once('\n')?;
        let number = first.strip_prefix("format ")?.parse().ok()?;
        let mut part = "";
        let mut lines = BTreeSet::new();
        for line in rest.lines() {
            match line.strip_prefix("  ") {
                Some(of_part) => drop(lines.insert(format!("{part}: {of_part}"))),
                None => {
                    part = line;
                    lines.insert(line.to_owned());
                }
            }
        }
        Some(Format { number, lines })
    }

    /// Lines of the earlier format that are missing in this one.
    pub(crate) fn lacks<'a>(&'a self, before: &'a Format) -> impl Iterator<Item = &'a String> {
        before.lines.difference(&self.lines).filter(|it| !self.has_more_words(it))
    }

    /// Is this field an enumeration that has all of these words here, and others?
    fn has_more_words(&self, line: &str) -> bool {
        let enumeration =
            |line: &'_ str| line.rsplit_once(": one of ").map(|(a, b)| (a.to_owned(), b.to_owned()));
        let Some((field, before)) = enumeration(line) else { return false };
        self.lines.iter().filter_map(|it| enumeration(it)).any(|(of, words)| {
            of == field && before.split('|').all(|word| words.split('|').any(|it| it == word))
        })
    }
}

/// The format as of a commit; `None` if the commit does not exist or has none.
fn committed(root: &Path, commit: &str) -> Option<Format> {
    let shown =
        Command::new("git").args(["show", &format!("{commit}:{FILE}")]).current_dir(root).output().ok()?;
    Format::parse(&String::from_utf8(shown.stdout).ok().filter(|_| shown.status.success())?)
}

/// The format of the newest folder.
fn newest(root: &Path) -> Option<Format> {
    let folders = fs::read_dir(root.join(FOLDERS)).ok()?;
    let numbers = folders.filter_map(|it| it.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let file = root.join(FOLDERS).join(numbers.max()?.to_string()).join("format.txt");
    Format::parse(&fs::read_to_string(file).ok()?)
}

/// Earlier formats without a folder.
fn missing(root: &Path, number: u32) -> Vec<String> {
    let is_there = |number: u32| {
        let folder = root.join(FOLDERS).join(number.to_string());
        let format = fs::read_to_string(folder.join("format.txt")).ok().and_then(|it| Format::parse(&it));
        folder.join("atoll.redb").exists() && format.is_some_and(|it| it.number == number)
    };
    let say = |number| {
        format!(
            "{FOLDERS}/{number} is not there: make it with the program before this change, by `git stash -u`, \
             `cargo xtask format --folder` and `git stash pop`"
        )
    };
    (1..number).filter(|it| !is_there(*it)).map(say).collect()
}

/// Violations: a wrong number of the format, missing folders of earlier ones.
pub(crate) fn wrong(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join(FILE)).unwrap_or_default();
    let Some(format) = Format::parse(&text) else {
        return vec!["begin with the number of the format, as `cargo xtask format` does".to_owned()];
    };
    let mut wrong = missing(root, format.number);
    // What changed since the newest folder is known to git alone; the change may be committed already or not.
    let before = [newest(root), committed(root, "HEAD"), committed(root, "HEAD^")];
    if before.iter().all(Option::is_none) {
        wrong.push(format!(
            "there is no folder in {FOLDERS} and no commit that it could be compared with: run this in a clone"
        ));
    }
    for before in before.into_iter().flatten() {
        if before.number >= format.number
            && let Some(lost) = format.lacks(&before).next()
        {
            wrong.push(format!(
                "`{lost}` was in format {} and was removed or changed: that makes a new format; run `cargo xtask format`",
                before.number
            ));
            break;
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "format 3\ntable tea 1\n  id: text\n  name: text\nindex tea.by_name 1: name of tea\n";

    #[test]
    fn removed_lines_raise_the_format_number_and_added_ones_do_not() {
        let lost = |after: &str| {
            let (before, after) = (Format::parse(BEFORE).unwrap(), Format::parse(after).unwrap());
            after.lacks(&before).cloned().collect::<Vec<_>>().join(", ")
        };
        assert_eq!(lost(BEFORE), "");
        assert_eq!(lost(&format!("{BEFORE}table cup 1\n  id: text\n")), "");
        assert_eq!(lost(&BEFORE.replace("  name: text\n", "  name: text\n  size: number\n")), "");
        assert_eq!(lost(&BEFORE.replace("name: text", "title: text")), "table tea 1: name: text");
        assert_eq!(lost(&BEFORE.replace("name: text", "name: number")), "table tea 1: name: text");
        assert_eq!(lost(&BEFORE.replace("by_name 1", "by_name 2")), "index tea.by_name 1: name of tea");
        let version = "table tea 1, table tea 1: id: text, table tea 1: name: text";
        assert_eq!(lost(&BEFORE.replace("tea 1", "tea 2")), version);
        assert_eq!(Format::parse("table tea 1\n").map(|it| it.number), None);
        let words = |words: &str| format!("{BEFORE}table cup 1\n  size: one of {words}\n");
        let lost = |before: &str, after: &str| {
            let (before, after) =
                (Format::parse(&words(before)).unwrap(), Format::parse(&words(after)).unwrap());
            after.lacks(&before).cloned().collect::<Vec<_>>().join(", ")
        };
        assert_eq!(lost("big|small", "big|huge|small"), "");
        assert_eq!(lost("big|small", "big|huge"), "table cup 1: size: one of big|small");
    }

    #[test]
    fn missing_data_folder_of_an_earlier_format_is_reported() {
        let root = std::env::temp_dir().join(format!("atoll-xtask-format-{}", std::process::id()));
        let folder = root.join(FOLDERS).join("1");
        fs::create_dir_all(&folder).unwrap();
        fs::write(root.join(FILE), BEFORE).unwrap();
        fs::write(folder.join("format.txt"), BEFORE.replace("format 3", "format 1")).unwrap();
        fs::write(folder.join("atoll.redb"), "").unwrap();
        let wrong = wrong(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(
            wrong[0].starts_with("tests/data/2 is not there: make it with the program before"),
            "{wrong:?}"
        );
    }

    /// In a tree without git, as one that was exported: what the newest folder has is compared all the same.
    #[test]
    fn what_the_newest_folder_has_is_compared_without_git() {
        let root = std::env::temp_dir().join(format!("atoll-xtask-newest-{}", std::process::id()));
        let of = |number: u32, text: &str| text.replace("format 3", &format!("format {number}"));
        let check = |now: &str| {
            fs::write(root.join(FILE), now).unwrap();
            wrong(&root).join("; ")
        };
        fs::create_dir_all(root.join(FOLDERS)).unwrap();
        let alone = check(&of(1, BEFORE));
        for number in [1, 2] {
            let folder = root.join(FOLDERS).join(number.to_string());
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("format.txt"), of(number, BEFORE)).unwrap();
            fs::write(folder.join("atoll.redb"), "").unwrap();
        }
        let changed = BEFORE.replace("name: text", "title: text");
        let found = [of(2, BEFORE), of(2, &changed), of(3, &changed)].map(|it| check(&it));
        fs::remove_dir_all(&root).unwrap();
        assert!(alone.starts_with("there is no folder in tests/data and no commit"), "{alone}");
        let lost = "`table tea 1: name: text` was in format 2 and was removed or changed: that makes a new format; run \
                    `cargo xtask format`";
        assert_eq!(found, ["", lost, ""]);
    }
}
