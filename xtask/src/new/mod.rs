//! `cargo xtask new` and `cargo xtask remove`: generate code of a kind with its test, and take it back.

mod check;
mod kinds;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use crate::cargo;
use kinds::{KINDS, Kind, Line};
use words::{Words, is_name};

/// Generates the code, or checks all that can be generated.
pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    if args == ["--check"] {
        return check::run();
    }
    let asked = Asked::parse(args, "new")?;
    for path in generate(&asked)? {
        eprintln!("wrote {path}");
    }
    eprintln!("test it: cargo test -p atoll-{}", asked.krate());
    Ok(ExitCode::SUCCESS)
}

/// Removes what `new` with the same arguments generated.
pub(crate) fn remove(args: &[String]) -> anyhow::Result<ExitCode> {
    take_back(&Asked::parse(args, "remove")?)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the files, and the lines in others; returns their paths. Nothing is written if a file is there.
fn generate(asked: &Asked) -> anyhow::Result<Vec<String>> {
    let plan = Plan::new(cargo::root(), asked)?;
    if let Some((path, _)) = plan.files.iter().find(|(path, _)| path.exists()) {
        anyhow::bail!("{} is there already; nothing was written", plan.shown(path));
    }
    let edits = plan.edits(insert)?;
    let mut written = Vec::new();
    for (path, text) in plan.files.iter().chain(&edits) {
        fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
        fs::write(path, text).with_context(|| plan.shown(path))?;
        written.push(plan.shown(path));
    }
    format()?;
    Ok(written)
}

/// Removes the files and lines. Refused if a file is not as it was generated, unless `--force` is given.
fn take_back(asked: &Asked) -> anyhow::Result<()> {
    let mut plan = Plan::new(cargo::root(), asked)?;
    plan.keep_shared_dependencies()?;
    let folder = (!asked.kind.is_part).then(|| plan.root.join(&plan.folder));
    let there: Vec<&PathBuf> = plan.files.iter().map(|(path, _)| path).filter(|path| path.exists()).collect();
    anyhow::ensure!(!there.is_empty(), "there is no {} `{}`", asked.kind.name, asked.name);
    if !asked.force {
        let others = folder.as_deref().map(files_below).transpose()?.unwrap_or_default();
        let changed = plan.changed()?;
        let others = others.iter().filter(|it| !plan.files.iter().any(|(path, _)| path == *it));
        let kept: Vec<String> = changed.iter().chain(others).map(|it| plan.shown(it)).collect();
        anyhow::ensure!(
            kept.is_empty(),
            "these are not as they were generated; `--force` removes them all the same: {}",
            kept.join(", ")
        );
    }
    for (path, text) in &plan.edits(take_out)? {
        fs::write(path, text).with_context(|| plan.shown(path))?;
    }
    match folder {
        Some(folder) => fs::remove_dir_all(&folder).with_context(|| plan.shown(&folder))?,
        None => there.iter().try_for_each(|path| fs::remove_file(path).with_context(|| plan.shown(path)))?,
    }
    format()
}

/// Sorts what new lines belong to, and wraps what a longer name made too long.
fn format() -> anyhow::Result<()> {
    anyhow::ensure!(cargo::run(&["fmt", "--all"])?, "`cargo fmt` failed");
    Ok(())
}

/// The rows of the help.
pub(crate) fn kinds() -> String {
    KINDS.iter().map(|kind| format!("      {:<18} {}\n", kind.name, kind.about)).collect()
}

/// The arguments of a command.
struct Asked {
    kind: &'static Kind,
    name: String,
    within: Option<String>,
    force: bool,
}

impl Asked {
    fn parse(args: &[String], command: &str) -> anyhow::Result<Asked> {
        let usage = || {
            let names: Vec<&str> = KINDS.iter().map(|it| it.name).collect();
            format!("usage: cargo xtask {command} {} NAME [--in CRATE]", names.join("|"))
        };
        let (mut plain, mut within, mut force) = (Vec::new(), None, false);
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--in" => within = Some(args.next().with_context(usage)?.clone()),
                "--force" if command == "remove" => force = true,
                flag if flag.starts_with('-') => anyhow::bail!("unknown flag `{flag}`; {}", usage()),
                _ => plain.push(arg),
            }
        }
        let [kind, name] = plain[..] else { anyhow::bail!(usage()) };
        let kind = KINDS.iter().find(|it| it.name == kind);
        let kind = kind.with_context(usage)?;
        for name in [Some(name), within.as_ref()].into_iter().flatten() {
            anyhow::ensure!(
                is_name(name),
                "`{name}` is no name: lower-case words with hyphens, as in `gift-box`"
            );
        }
        anyhow::ensure!(
            kind.is_part == within.is_some(),
            if kind.is_part {
                "say which crate it is for: `--in CRATE`"
            } else {
                "it is a crate of its own: no `--in`"
            }
        );
        Ok(Asked { kind, name: name.clone(), within, force })
    }

    fn krate(&self) -> &str {
        self.within.as_deref().unwrap_or(&self.name)
    }
}

/// The files and lines of what is generated.
struct Plan {
    root: PathBuf,
    /// Of the crate, from the root.
    folder: String,
    files: Vec<(PathBuf, String)>,
    /// Paths from the root, lines, and what they stand beside.
    lines: Vec<(PathBuf, String, &'static str)>,
}

impl Plan {
    fn new(root: &Path, asked: &Asked) -> anyhow::Result<Plan> {
        let krate = asked.krate();
        let folder = if asked.kind.is_part {
            let folders = ["plugins", "plugins/extensions"].map(|it| format!("{it}/{krate}"));
            let found = folders.into_iter().find(|it| root.join(it).join("Cargo.toml").exists());
            let folder = found.with_context(|| format!("there is no crate `{krate}` in plugins/"))?;
            let tests = root.join(&folder).join("tests/it/main.rs");
            anyhow::ensure!(
                tests.exists(),
                "{folder}/tests/it/main.rs is not there: the test would have no place"
            );
            folder
        } else if asked.kind.name == "extension" {
            format!("plugins/extensions/{krate}")
        } else {
            format!("plugins/{krate}")
        };
        let words = Words::new(&asked.name, krate, &folder);
        let file = |&(path, text): &(&str, &str)| (root.join(words.fill(path)), words.fill(text));
        let line = |it: &Line| (root.join(words.fill(it.file)), words.fill(it.text), it.beside);
        Ok(Plan {
            root: root.to_owned(),
            folder,
            files: asked.kind.files.iter().map(file).collect(),
            lines: asked.kind.lines.iter().map(line).collect(),
        })
    }

    /// A dependency that another file of the crate uses, too, stays.
    fn keep_shared_dependencies(&mut self) -> anyhow::Result<()> {
        let folder = self.root.join(&self.folder);
        let manifest = folder.join("Cargo.toml");
        if !self.lines.iter().any(|(path, ..)| *path == manifest) {
            return Ok(());
        }
        let mut others = String::new();
        for path in files_below(&folder.join("src"))? {
            if !self.files.iter().any(|(own, _)| *own == path) {
                others += &fs::read_to_string(&path)?;
            }
        }
        self.lines.retain(|(path, line, _)| {
            let name = line.split('.').next().unwrap_or_default().replace('-', "_");
            *path != manifest || !others.contains(&name)
        });
        Ok(())
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The new text of each file in which a line is.
    fn edits(&self, edit: fn(&str, &str, &str) -> Option<String>) -> anyhow::Result<Vec<(PathBuf, String)>> {
        let mut edits: Vec<(PathBuf, String)> = Vec::new();
        for (path, line, beside) in &self.lines {
            let known = edits.iter_mut().find(|(edited, _)| edited == path);
            let text = match &known {
                Some((_, text)) => text.clone(),
                None => fs::read_to_string(path).with_context(|| self.shown(path))?,
            };
            let text = edit(&text, line, beside)
                .with_context(|| format!("{}: there is no place for `{line}`", self.shown(path)))?;
            match known {
                Some((_, known)) => *known = text,
                None => edits.push((path.clone(), text)),
            }
        }
        Ok(edits)
    }

    /// Generated files that were changed since: compared without white space, which `cargo fmt` moves.
    fn changed(&self) -> anyhow::Result<Vec<PathBuf>> {
        let plain =
            |text: &str| text.chars().filter(|it| !it.is_whitespace() && *it != ',').collect::<String>();
        let mut changed = Vec::new();
        for (path, text) in self.files.iter().filter(|(path, _)| path.exists()) {
            let is = fs::read_to_string(path).with_context(|| self.shown(path))?;
            if sorted(&plain(&is)) != sorted(&plain(text)) {
                changed.push(path.clone());
            }
        }
        Ok(changed)
    }
}

/// The letters in order: `cargo fmt` sorts imports.
fn sorted(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text.chars().filter(|it| !"{}".contains(*it)).collect();
    letters.sort_unstable();
    letters
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// The text with the line behind the last of those that begin with `beside`, or behind the comment at its
/// start. The text as it is if it has the line already; `None` if there is no place for it.
fn insert(text: &str, line: &str, beside: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.contains(&line) {
        return Some(text.to_owned());
    }
    let last = lines.iter().rposition(|it| it.starts_with(beside));
    match last {
        Some(at) => lines.insert(at + 1, line),
        None => {
            let at = lines.iter().position(|it| !it.starts_with("//!"))?;
            lines.splice(at..at, ["", line]);
        }
    }
    Some(lines.join("\n") + "\n")
}

/// The text without the line, if it has it.
fn take_out(text: &str, line: &str, _beside: &str) -> Option<String> {
    Some(text.lines().filter(|it| *it != line).map(|it| format!("{it}\n")).collect())
}
