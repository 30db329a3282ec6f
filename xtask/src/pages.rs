//! Rules on Markdown pages: links lead to files and headings that are there, and code is shown as it is
//! compiled: a block of Rust or TOML is an excerpt of a file of the repository. Examples in doc comments are
//! compiled by cargo.

use std::path::{Component, Path, PathBuf};

use crate::tidy::{File, Violation};

/// Files whose code is no example: the templates of `cargo xtask new` have gaps in it.
const TEMPLATES: &str = "xtask/templates/";

/// A line of a block that stands for lines that are left out.
const GAP: &str = "…";

pub(crate) fn violations(files: &[File], exists: &dyn Fn(&Path) -> bool) -> Vec<Violation> {
    let sources: Vec<Source<'_>> =
        files.iter().filter(|it| !it.path.starts_with(TEMPLATES)).map(Source::of).collect();
    let pages = files.iter().filter(|it| it.has_extension(&["md"]));
    let of_pages = pages.flat_map(|page| {
        blocks_are_compiled(page, &sources).into_iter().chain(links_lead_somewhere(page, files, exists))
    });
    let of_all = files.iter().flat_map(|file| [examples_are_compiled(file), is_in_the_book(file, files)]);
    of_pages.chain(of_all.flatten()).collect()
}

/// A file, as excerpts are looked for in it: without indentation and empty lines.
struct Source<'a> {
    file: &'a File,
    lines: Vec<&'a str>,
}

impl<'a> Source<'a> {
    fn of(file: &'a File) -> Source<'a> {
        let lines = if file.has_extension(&["rs", "toml"]) { significant(&file.text) } else { Vec::new() };
        Source { file, lines }
    }

    /// How many lines of a block are here, from its first one, and in its order.
    fn n_shown(&self, block: &[&str]) -> usize {
        let (mut at, mut n_shown) = (0, 0);
        for part in block.split(|line| *line == GAP) {
            let starts = (at..self.lines.len()).filter(|start| Some(&self.lines[*start]) == part.first());
            let same = |start: usize| {
                self.lines[start..].iter().zip(part).take_while(|(line, shown)| line == shown).count()
            };
            let best = starts.map(|start| (same(start), start)).max_by_key(|(n, start)| (*n, !start));
            let (n, start) = best.unwrap_or((0, at));
            n_shown += n;
            if n < part.len() {
                return n_shown;
            }
            at = start + n;
            // The gap behind it.
            n_shown += 1;
        }
        n_shown - 1
    }
}

fn significant(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// A block of a page: its language, the number of its first line, its lines.
struct Block<'a> {
    language: &'a str,
    number: usize,
    lines: Vec<&'a str>,
}

/// The blocks of a page, and its other lines with their numbers.
fn parts(page: &File) -> (Vec<Block<'_>>, Vec<(usize, &str)>) {
    let (mut blocks, mut rest, mut open) = (Vec::new(), Vec::new(), None);
    for (number, line) in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, &mut open) {
            (Some(language), None) => open = Some(Block { language, number: number + 1, lines: Vec::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.trim()),
            (None, None) => rest.push((number, line)),
        }
    }
    blocks.extend(open);
    (blocks, rest)
}

/// Rust and TOML on pages are excerpts of files that are compiled, so that they cannot be out of date.
fn blocks_are_compiled(page: &File, sources: &[Source<'_>]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for block in parts(page).0 {
        let extension = match block.language {
            "rust" => "rs",
            "toml" => "toml",
            it if it.starts_with("rust") => {
                violations.push(page.violation(block.number - 1, "write ```rust, and show compiled code"));
                continue;
            }
            _ => continue,
        };
        let lines: Vec<&str> = block.lines.iter().copied().filter(|line| !line.is_empty()).collect();
        let candidates = sources.iter().filter(|it| it.file.has_extension(&[extension]));
        let Some((n, source)) = candidates.map(|it| (it.n_shown(&lines), it)).max_by_key(|(n, _)| *n) else {
            continue;
        };
        if n < lines.len() {
            let position = block.lines.iter().enumerate().filter(|(_, line)| !line.is_empty()).nth(n);
            let number = block.number + position.map_or(0, |(i, _)| i);
            let near =
                if n > 0 { format!("; {} goes on otherwise", source.file.path) } else { String::new() };
            let message = format!("show an excerpt of a file: `{}` is in none{near}", lines[n]);
            violations.push(page.violation(number, message));
        }
    }
    violations
}

/// The summary of the book names every page of it.
fn is_in_the_book(page: &File, files: &[File]) -> Vec<Violation> {
    const SUMMARY: &str = "docs/SUMMARY.md";
    let Some(name) = page.path.strip_prefix("docs/").filter(|name| name.ends_with(".md")) else {
        return Vec::new();
    };
    let summary = files.iter().find(|it| it.path == SUMMARY).map_or("", |it| &it.text);
    if page.path == SUMMARY || summary.contains(&format!("]({name})")) {
        return Vec::new();
    }
    vec![page.violation(1, "add the page to docs/SUMMARY.md")]
}

/// Cargo compiles the examples in doc comments, unless they say `ignore`.
fn examples_are_compiled(file: &File) -> Vec<Violation> {
    let is_ignored = |line: &str| {
        let line = line.trim_start();
        ["/// ```", "//! ```"].iter().any(|it| line.strip_prefix(it).is_some_and(|it| it.contains("ignore")))
    };
    let ignored = file.lines().filter(|(_, line)| file.has_extension(&["rs"]) && is_ignored(line));
    ignored.map(|(number, _)| file.violation(number, "write an example that compiles, or `text`")).collect()
}

/// Relative links lead to files and folders that exist, and to headings that are in them.
fn links_lead_somewhere(page: &File, files: &[File], exists: &dyn Fn(&Path) -> bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (number, line) in parts(page).1 {
        for target in targets(line) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
            let path = if path.is_empty() { PathBuf::from(&page.path) } else { normal(&folder.join(path)) };
            let linked = files.iter().find(|it| Path::new(&it.path) == path);
            if linked.is_none() && !exists(&path) {
                violations.push(page.violation(number, format!("`{target}` leads to no file")));
            } else if !anchor.is_empty()
                && !linked.is_some_and(|it| headings(it).iter().any(|heading| heading == anchor))
            {
                violations.push(page.violation(number, format!("`{target}` leads to no heading")));
            }
        }
    }
    violations
}

/// Targets of the links in a line, without those in code.
fn targets(line: &str) -> Vec<&str> {
    let text = line.split('`').step_by(2);
    // A link's text may be code: what is left of it then begins with the bracket that closes it.
    text.flat_map(|it| it.split("](").skip(1)).filter_map(|it| it.split(')').next()).collect()
}

/// The path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            it => normal.push(it),
        }
    }
    normal
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn headings(page: &File) -> Vec<String> {
    let lines = parts(page).1.into_iter().map(|(_, line)| line);
    let titles = lines.filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles.map(anchor).collect()
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
    kept.map(|it| if it == ' ' { '-' } else { it.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    /// The violations of the page `docs/page.md` with this text, among a few other files.
    #[track_caller]
    fn check(page: &str, expected: &str) {
        let source = "//! Text.\n\nfn f() {\n    one();\n    two();\n    three();\n}\n";
        let other = file("docs/other.md", "# Other\n\n## A `b`, or c-d?\n");
        let summary = file("docs/SUMMARY.md", "- [Page](page.md)\n- [Other](other.md)\n");
        let manifest = file("Cargo.toml", "[package]\nname = \"a\"\n");
        let files = [file("a.rs", source), manifest, other, summary];
        let page = file("docs/page.md", page);
        let files: Vec<File> = files.into_iter().chain([page]).collect();
        let found = violations(&files, &|path| path == Path::new("plugins"));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.join("\n"), expected);
    }

    #[test]
    fn code_that_is_in_no_file_is_listed() {
        check(
            "```rust\none();\n\ntwo();\n```\n- point\n\n  ```rust\n  fn f() {\n      …\n      three();\n  ```\n",
            "",
        );
        check("```toml\nname = \"a\"\n```\n```ts\nfour()\n```\n", "");
        check(
            "Text\n```rust\none();\n\nthree();\n```\n",
            "docs/page.md:5: show an excerpt of a file: `three();` is in none; a.rs goes on otherwise",
        );
        check("```rust\nfour();\n```\n", "docs/page.md:2: show an excerpt of a file: `four();` is in none");
        check("```rust,ignore\n```\n", "docs/page.md:1: write ```rust, and show compiled code");
        check(
            "```rust\nthree();\n…\none();\n```\n",
            "docs/page.md:4: show an excerpt of a file: `one();` is in none; a.rs goes on otherwise",
        );
    }

    #[test]
    fn ignored_examples_are_listed() {
        let source = file("a.rs", "//! Text.\n\n/// ```ignore\n/// f()\n/// ```\n/// ```text\nfn f() {}\n");
        let found = violations(&[source], &|_| false);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "a.rs:3: write an example that compiles, or `text`");
    }

    #[test]
    fn pages_that_the_book_lacks_are_listed() {
        let found = violations(&[file("docs/page.md", "# Page\n")], &|_| false);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "docs/page.md:1: add the page to docs/SUMMARY.md");
    }

    #[test]
    fn links_to_nothing_are_listed() {
        check(
            "[a](other.md#a-b-or-c-d), [`b`](../a.rs), [c](https://a.b/c), [d](../plugins), `[e](f)`\n",
            "",
        );
        check("# Here\n[a](#here)\n```sh\n[b](c)\n```\n", "");
        check("[a](../b.md)\n", "docs/page.md:1: `../b.md` leads to no file");
        check("Text\n[a](other.md#b)\n", "docs/page.md:2: `other.md#b` leads to no heading");
        check(
            "[`a`](b.md) and [c](d.md)\n",
            "docs/page.md:1: `b.md` leads to no file\ndocs/page.md:1: `d.md` leads to no file",
        );
    }
}
