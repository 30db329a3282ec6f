//! `cargo xtask tidy`: style and structure rules that the compiler does not check. A rule is a function and
//! an entry in [`violations`].

use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Write as _},
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::Context as _;

use crate::{cargo, crates, format, pages, words};

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.is_empty(), "`cargo xtask tidy` takes no arguments");
    let files = files(cargo::root())?;
    let violations = all_violations(&files);
    let crates = crates::violations()?;
    let mut out = io::stdout().lock();
    for violation in &violations {
        writeln!(out, "{violation}")?;
    }
    for violation in &crates {
        writeln!(out, "{violation}")?;
    }
    if violations.is_empty() && crates.is_empty() {
        writeln!(out, "tidy: {} files are in order", files.len())?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// A text file of the repository.
pub(crate) struct File {
    /// Relative to the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// Is it the manifest of a member, and not that of a workspace?
    fn is_manifest(&self) -> bool {
        self.path.ends_with("/Cargo.toml") && !self.text.lines().any(|line| line == "[workspace]")
    }

    /// The lines, numbered from 1, with a carriage return at the end if there is one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.strip_suffix('\n').unwrap_or(&self.text).split('\n'))
    }

    pub(crate) fn violation(&self, line: usize, message: impl Into<String>) -> Violation {
        Violation { path: self.path.clone(), line, message: message.into() }
    }
}

/// A violated rule, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Sources, texts and manifests that git tracks, or would track after `git add`.
fn files(root: &Path) -> anyhow::Result<Vec<File>> {
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git does not start")?;
    anyhow::ensure!(list.status.success(), "git ls-files: {}", String::from_utf8_lossy(&list.stderr));
    let list = String::from_utf8(list.stdout).context("a path is not UTF-8")?;
    let paths: BTreeSet<&str> = list.split_terminator('\0').collect();
    let mut files = Vec::new();
    for path in paths {
        let mut file = File { path: path.to_owned(), text: String::new() };
        if !file.has_extension(&["rs", "md", "toml"]) {
            continue;
        }
        match fs::read(root.join(path)) {
            Ok(bytes) => file.text = String::from_utf8_lossy(&bytes).into_owned(),
            // Deleted, but still in the index.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).context(file.path),
        }
        files.push(file);
    }
    Ok(files)
}

/// All rules, also those on the repository as a whole.
fn all_violations(files: &[File]) -> Vec<Violation> {
    let mut violations = violations(files);
    violations.extend(has_the_words(files));
    violations.extend(format_has_its_folders(cargo::root()));
    violations.extend(pages::violations(files, &|path| cargo::root().join(path).exists()));
    violations
}

/// The rules on files, on all files.
fn violations(files: &[File]) -> Vec<Violation> {
    let of_one_file = [
        begins_with_docs, has_no_stray_space, has_short_comments, is_merged, inherits_lints,
        inherits_dependencies, tests_do_not_sleep, plans_requests, writes_in_flows,
    ];
    let mut violations: Vec<Violation> =
        files.iter().flat_map(|file| of_one_file.iter().flat_map(|rule| rule(file))).collect();
    violations.sort();
    violations
}

/// A source file begins with a `//!` line.
fn begins_with_docs(file: &File) -> Vec<Violation> {
    if !file.has_extension(&["rs"]) || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![file.violation(1, "begin with a `//!` line that says what this file is")]
}

fn has_no_stray_space(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in file.lines() {
        if line.trim_end() != line {
            violations.push(file.violation(number, "remove the white space at the end"));
        }
        if line.trim_end().contains('\t') {
            violations.push(file.violation(number, "write spaces for the tab"));
        }
    }
    violations
}

/// Comments are as wide as code, which rustfmt wraps; it leaves comments alone.
fn has_short_comments(file: &File) -> Vec<Violation> {
    const CHARS_MAX: usize = 110;
    if !file.has_extension(&["rs"]) {
        return Vec::new();
    }
    let is_long = |line: &str| line.trim_start().starts_with("//") && line.chars().count() > CHARS_MAX;
    let long = file.lines().filter(|(_, line)| is_long(line));
    long.map(|(number, _)| file.violation(number, "wrap the comment at 110 characters")).collect()
}

/// No conflict markers of a merge.
fn is_merged(file: &File) -> Vec<Violation> {
    let is_mark = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    let marks = file.lines().filter(|(_, line)| is_mark(line));
    marks.map(|(number, _)| file.violation(number, "decide between the sides of the merge")).collect()
}

/// A member inherits the workspace's lints.
fn inherits_lints(file: &File) -> Vec<Violation> {
    let inherits = manifest(file).any(|line| line.section == "lints" && line.inherits());
    if !file.is_manifest() || inherits {
        return Vec::new();
    }
    vec![file.violation(1, "add `[lints]` with `workspace = true`")]
}

/// A member inherits its dependencies from the root manifest, the only place with versions. An extension is
/// named by its path, which the root manifest names once as a member.
fn inherits_dependencies(file: &File) -> Vec<Violation> {
    if !file.is_manifest() {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for line in manifest(file) {
        if line.is_header() {
            if line.section.contains("dependencies.") {
                violations.push(file.violation(line.number, "write the dependency on one line of its list"));
            }
        } else if line.section.ends_with("dependencies") && line.text.contains('=') && !line.has_its_version()
        {
            let name = line.text.split(['.', '=']).next().unwrap_or(&line.text);
            let message = format!("write `{name}.workspace = true`, and the version in the root Cargo.toml");
            violations.push(file.violation(line.number, message));
        }
    }
    violations
}

/// A line of a manifest with its section; a header belongs to its own section.
struct ManifestLine {
    section: String,
    number: usize,
    /// Text without comments and white space.
    text: String,
}

impl ManifestLine {
    fn is_header(&self) -> bool {
        self.text.starts_with('[') && self.text.ends_with(']')
    }

    fn inherits(&self) -> bool {
        self.text.contains("workspace=true") && !self.text.contains("version=")
    }

    fn has_its_version(&self) -> bool {
        self.inherits() || self.text.contains("path=\"../") && self.text.contains("plugins/extensions/")
    }
}

fn manifest(file: &File) -> impl Iterator<Item = ManifestLine> {
    let mut section = String::new();
    file.lines().map(move |(number, line)| {
        let text: String = line.split('#').next().unwrap_or(line).split_whitespace().collect();
        let mut line = ManifestLine { section: section.clone(), number, text };
        if line.is_header() {
            section = line.text.trim_matches(['[', ']']).to_owned();
            line.section = section.clone();
        }
        line
    })
}

/// The trade's words stand where one would search for them.
fn has_the_words(files: &[File]) -> Vec<Violation> {
    let read = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let missing = words::missing(words::WORDS, read).into_iter();
    missing.map(|(path, message)| Violation { path: path.to_owned(), line: 1, message }).collect()
}

/// Handlers take answers from the plan of the request, and read in its snapshot.
fn plans_requests(file: &File) -> Vec<Violation> {
    const RULES: [(&str, &str); 3] = [
        ("from_slice(", "write the answer with `Reply::object` and a `ReadPlan`, and parse none"),
        ("&call.app.view()", "read `call.view`, the snapshot of the request"),
        (".unconfined(", "take `call.context()`: only the guard makes a context without a wall"),
    ];
    const GUARD: &str = "crates/api/src/gate.rs";
    if !file.path.starts_with("crates/api/src/") || file.path == GUARD {
        return Vec::new();
    }
    let broken = |line: &str| RULES.iter().filter(|(text, _)| line.contains(text)).collect::<Vec<_>>();
    let all = file.lines().flat_map(|(number, line)| broken(line).into_iter().map(move |it| (number, it)));
    all.map(|(number, (_, message))| file.violation(number, *message)).collect()
}

/// Handlers of the admin and store API write by flows: every write takes the moment of its transaction. The
/// file excepted deletes a record of the dispatcher.
fn writes_in_flows(file: &File) -> Vec<Violation> {
    const WRITES: [&str; 3] = [".app.write(", "flow.at", "tx, at"];
    const EXCEPTION: &str = "crates/api/src/admin/dead_letters.rs";
    let is_handler =
        file.path.starts_with("crates/api/src/admin/") || file.path.starts_with("crates/api/src/store/");
    if !is_handler || file.path == EXCEPTION {
        return Vec::new();
    }
    let writes = file.lines().filter(|(_, line)| WRITES.iter().any(|it| line.contains(it)));
    let message = "run a flow, so that hooks and the injection test reach the write";
    writes.map(|(number, _)| file.violation(number, message)).collect()
}

/// Every earlier storage format has a data folder, which the tests open.
fn format_has_its_folders(root: &Path) -> Vec<Violation> {
    let say = |message| Violation { path: format::FILE.to_owned(), line: 1, message };
    format::wrong(root).into_iter().map(say).collect()
}

/// Tests wait for events: for commits, or for a clock that they move themselves.
fn tests_do_not_sleep(file: &File) -> Vec<Violation> {
    const SLEEPS: [&str; 3] = ["time::sleep", "thread::sleep", "sleep_ms("];
    /// What is out of reach of the clock of a test.
    const EXCEPTIONS: [(&str, &str); 6] = [
        ("crates/host/tests/it/kills.rs", "a process is killed, at moments that are spread over its work"),
        ("tests/kills/main.rs", "a process is killed, at a moment that no two kills share"),
        ("tests/backup/main.rs", "a process is killed, at a moment that no two kills share"),
        ("crates/host/tests/it/http.rs", "real sockets of a real server, some of which are slow on purpose"),
        ("crates/host/tests/cluster/client.rs", "real processes, which are stopped beyond a lease"),
        ("tests/it/messages/sources_of_chance.rs", "is compiled and never run, to see that plugins may not"),
    ];
    let is_test =
        file.path.starts_with("tests/") || file.path.contains("/tests/") || file.path.contains("/testkit/");
    if !is_test || !file.has_extension(&["rs"]) || EXCEPTIONS.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let sleeps = file.lines().filter(|(_, line)| SLEEPS.iter().any(|it| line.contains(it)));
    sleeps
        .map(|(number, _)| {
            file.violation(number, "wait for an event, or move the clock of the test; do not sleep")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let files = files(cargo::root()).unwrap();
        let violations = all_violations(&files);
        let list: Vec<String> = violations.iter().map(Violation::to_string).collect();
        assert!(list.is_empty(), "{}", list.join("\n"));
    }

    #[test]
    fn broken_rules_are_listed_with_their_places() {
        assert_eq!(tidy("a.rs", "//! Text.\n\nfn f() {}\n"), "");
        assert_eq!(tidy("a.rs", "fn f() {}"), "a.rs:1: begin with a `//!` line that says what this file is");
        assert_eq!(tidy("a.md", "one \ntwo"), "a.md:1: remove the white space at the end");
        let long = format!("//! Text.\n    // {}\n", "x".repeat(104));
        assert_eq!(tidy("a.rs", &long), "a.rs:2: wrap the comment at 110 characters");
        assert_eq!(tidy("a.rs", &long.replace("xx", "x")), "");
        assert_eq!(tidy("a.md", "one\r\n"), "a.md:1: remove the white space at the end");
        assert_eq!(tidy("a.toml", "one\n\ttwo"), "a.toml:2: write spaces for the tab");
        assert_eq!(tidy("a.md", "one\n<<<<<<< HEAD\n"), "a.md:2: decide between the sides of the merge");
        let parsed = "let it: Value = serde_json::from_slice(&reply.json)?;";
        assert_eq!(tidy("crates/http/src/a.rs", &format!("//! Text.\n{parsed}")), "");
        assert_eq!(
            tidy("crates/api/src/a.rs", &format!("//! Text.\n{parsed}")),
            "crates/api/src/a.rs:2: write the answer with `Reply::object` and a `ReadPlan`, and parse none"
        );
        let writes = "//! Text.\nSTORES.update(flow.tx, flow.at, &id, patch)?;\n";
        assert_eq!(tidy("crates/flows/src/a.rs", writes), "");
        assert_eq!(
            tidy("crates/api/src/admin/a.rs", writes),
            "crates/api/src/admin/a.rs:2: run a flow, so that hooks and the injection test reach the write"
        );
        let sleeps = "//! Text.\nfn f() { std::thread::sleep(PAUSE) }\n";
        assert_eq!(
            tidy("tests/a.rs", sleeps),
            "tests/a.rs:2: wait for an event, or move the clock of the test; do not sleep"
        );
        assert_eq!(tidy("crates/host/src/a.rs", sleeps), "");
    }

    #[test]
    fn manifests_take_lints_and_versions_from_the_workspace() {
        let good = "[lints]\nworkspace = true\n[dependencies]\n# a = 1\na.workspace = true # b\nrustversion.workspace = true\n\
                    e = { path = \"../../plugins/extensions/e\" }\n\
                    b = { workspace = true, features = [\n\"c\",\n] }\n[[bench]]\nname = \"d\"\n";
        assert_eq!(tidy("x/Cargo.toml", good), "");
        assert_eq!(tidy("Cargo.toml", "[workspace.dependencies]\na = \"1\"\n"), "");
        assert_eq!(
            tidy("x/Cargo.toml", "[dependencies]\na.workspace = true\n"),
            "x/Cargo.toml:1: add `[lints]` with `workspace = true`"
        );
        for (list, n_line) in [
            ("[dependencies]\na = \"1\"\n", 4),
            ("[dev-dependencies]\na = { path = \"../a\" }\n", 4),
            ("[dependencies]\na = { workspace = true, version = \"1\" }\n", 4),
            ("[target.'cfg(target_os = \"linux\")'.build-dependencies]\na = { version = \"1\" }\n", 4),
        ] {
            assert_eq!(
                tidy("x/Cargo.toml", &format!("[lints]\nworkspace = true\n{list}")),
                format!(
                    "x/Cargo.toml:{n_line}: write `a.workspace = true`, and the version in the root Cargo.toml"
                )
            );
        }
        assert_eq!(
            tidy("x/Cargo.toml", "[lints]\nworkspace = true\n[dependencies.a]\nversion = \"1\"\n"),
            "x/Cargo.toml:3: write the dependency on one line of its list"
        );
    }

    fn tidy(path: &str, text: &str) -> String {
        let violations = violations(&[File { path: path.into(), text: text.into() }]);
        violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("\n")
    }
}
