//! Replay of the recordings of the original. Differences are listed with their reasons, or counted as open;
//! counts and differences are in git, and may only fall.

mod examples;
mod known;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    fs,
    path::{Path, PathBuf},
};

use atoll_testkit::{Compared, Recording, Replay};
use expect_test::expect_file;
use tokio::sync::OnceCell;

use crate::known::Known;

/// A request that the original refused and that would succeed here is skipped, since the rest was recorded
/// without it.
const NOT_SENT: &str = "not sent: ";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A run of the original over a database of its own, whose recordings are numbered from 1.
struct Run {
    /// Its name in reports, and where its deviations are.
    name: &'static str,
    deviations: &'static str,
    /// Does a recording belong to it, by the number that its name begins with?
    has: fn(&str) -> bool,
}

/// The first run: sales channels, keys, products, stock, carts, orders. The second: checkout.
static RUNS: [Run; 2] = [
    Run { name: "first run", deviations: "replay/deviations.txt", has: |it| it < "30" },
    Run { name: "second run", deviations: "replay/deviations-of-second-run.txt", has: |it| it >= "30" },
];

/// The recordings of a run by name, in the order in which they were made.
fn recordings(run: &Run) -> Vec<(String, Recording)> {
    let files = fs::read_dir(folder().join("recordings")).expect("the recordings");
    let mut paths: Vec<PathBuf> = files.map(|it| it.expect("a file").path()).collect();
    let name = |it: &PathBuf| it.file_name().is_some_and(|it| (run.has)(&it.to_string_lossy()));
    paths.retain(|it| it.extension().is_some_and(|it| it == "json") && name(it));
    // `19` was recorded last of the first run; the names sort so.
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a recording");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("a recording"))
    };
    paths.into_iter().map(read).collect()
}

/// Why an entry differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// On purpose; the reason is a line of COMPAT.md.
    OnPurpose,
    /// It needs a module that we do not have.
    NotThereYet,
    /// It depends on an earlier entry that differs.
    Follows,
}

impl Kind {
    const ALL: [(Kind, &str); 3] =
        [(Kind::OnPurpose, "on purpose"), (Kind::NotThereYet, "not there yet"), (Kind::Follows, "follows")];
}

/// A line of `deviations.txt`: `n kind: reason`.
struct Deviation {
    kind: Kind,
    reason: String,
}

fn deviations(run: &Run) -> BTreeMap<u32, Deviation> {
    let text = fs::read_to_string(folder().join(run.deviations)).expect("the deviations");
    let lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let parse = |line: &str| {
        let (n, rest) = line.split_once(' ').expect("a number and a reason");
        let (kind, reason) = rest.split_once(": ").unwrap_or((rest, ""));
        let known = Kind::ALL.iter().find(|(_, name)| *name == kind);
        let (kind, _) = *known.unwrap_or_else(|| panic!("`{line}`: the kinds are {:?}", Kind::ALL));
        (n.parse().expect("a number"), Deviation { kind, reason: reason.to_owned() })
    };
    lines.map(parse).collect()
}

#[test]
fn consequences_name_deviations_before_them() {
    for run in &RUNS {
        let deviations = deviations(run);
        for (n, it) in deviations.iter().filter(|(_, it)| it.kind == Kind::Follows) {
            let words = it.reason.split(|it: char| !it.is_ascii_digit());
            for from in words.filter_map(|it| it.parse::<u32>().ok()) {
                assert!(
                    from < *n && deviations.contains_key(&from),
                    "{}: {n} follows from {from}, which does not differ",
                    run.name
                );
            }
        }
    }
}

/// Numbers of entries that match, that differ by kind, and that differ without an explanation.
#[derive(Clone, Copy, Default)]
struct Counts {
    matched: usize,
    by_kind: [usize; Kind::ALL.len()],
    open: usize,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.matched += other.matched;
        self.open += other.open;
        self.by_kind.iter_mut().zip(other.by_kind).for_each(|(sum, n)| *sum += n);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} matched", self.matched)?;
        for (n, (_, name)) in self.by_kind.iter().zip(Kind::ALL) {
            write!(f, ", {n} {name}")?;
        }
        write!(f, ", {} open", self.open)
    }
}

/// An entry that was replayed, or that is not sent.
struct Played {
    name: String,
    n: u32,
    result: Option<Compared>,
}

/// The entries of a run that have a request, by recording.
type PlayedRun = Vec<(String, Vec<Played>)>;

/// All runs, replayed once for all tests.
async fn played() -> &'static [PlayedRun] {
    static PLAYED: OnceCell<Vec<PlayedRun>> = OnceCell::const_new();
    let play = || async {
        let mut all = Vec::new();
        for run in &RUNS {
            all.push(play_run(run).await);
        }
        all
    };
    PLAYED.get_or_init(play).await
}

async fn play_run(run: &Run) -> PlayedRun {
    let (deviations, mut replay) = (deviations(run), Replay::new().await);
    let mut all = Vec::new();
    for (name, recording) in recordings(run) {
        let mut entries = Vec::new();
        for entry in &recording.entries {
            let played = |result| Played { name: entry.name.clone(), n: entry.n, result };
            if deviations.get(&entry.n).is_some_and(|it| it.reason.starts_with(NOT_SENT)) {
                entries.push(played(None));
            } else if let Some(result) = replay.play(entry).await {
                entries.push(played(Some(result)));
            }
        }
        all.push((name, entries));
    }
    all
}

/// How the entries of a run compare: a line for each recording, and their sum.
#[derive(Default)]
struct Report {
    lines: String,
    sum: Counts,
    /// Open differences, as `cargo xtask replay` shows them.
    open: String,
    /// Differences with a reason.
    known: Known,
    /// Numbers of deviations that do not deviate.
    needless: Vec<u32>,
}

fn report(run: &Run, played: &PlayedRun) -> Report {
    let deviations = deviations(run);
    let Report { mut lines, mut sum, mut open, mut known, mut needless } = Report::default();
    for (name, entries) in played {
        let mut counts = Counts::default();
        for entry in entries {
            let is_same = entry.result.as_ref().is_some_and(|it| it.differences.is_empty());
            match (is_same, deviations.get(&entry.n)) {
                (true, None) => counts.matched += 1,
                (true, Some(_)) => needless.push(entry.n),
                (false, Some(it)) => {
                    counts.by_kind[it.kind as usize] += 1;
                    entry.result.iter().for_each(|it| known.add(entry.n, &it.differences));
                }
                (false, None) => {
                    counts.open += 1;
                    let Some(it) = &entry.result else { continue };
                    writeln!(open, "{name} {} {} ({})", it.n, it.request, entry.name).expect("text");
                    for it in it.differences.iter().take(12) {
                        writeln!(open, "    {it}").expect("text");
                    }
                }
            }
        }
        writeln!(lines, "{name}: {counts}").expect("text");
        sum.add(counts);
    }
    writeln!(lines, "{}: {sum}", run.name).expect("text");
    Report { lines, sum, open, known, needless }
}

#[tokio::test]
async fn recordings_are_answered_as_they_were() {
    let reports = RUNS.iter().zip(played().await).map(|(run, played)| report(run, played));
    let reports: Vec<Report> = reports.collect();
    let open: String = reports.iter().map(|it| it.open.as_str()).collect();
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay.txt"), &open).expect("the report");
    for (run, report) in RUNS.iter().zip(&reports) {
        let needless = &report.needless;
        assert_eq!(*needless, [0; 0], "these are listed in {}, and do not deviate", run.deviations);
    }
    let lines: String = reports.iter().map(|it| it.lines.as_str()).collect();
    expect_file!["counts.txt"].assert_eq(&lines);
    let known = RUNS.iter().zip(&reports).map(|(run, report)| report.known.text(run.name));
    expect_file!["differences.txt"].assert_eq(&known.collect::<String>());
    let compat = fs::read_to_string(folder().join("../COMPAT.md")).expect("COMPAT.md");
    let sum = &reports[0].sum;
    assert!(compat.contains(&format!("\n{sum}.\n")), "COMPAT.md has other numbers than: {sum}");
}

#[tokio::test]
async fn examples_are_those_of_the_recordings() {
    let entries = played().await.iter().flatten().flat_map(|(_, entries)| entries);
    let file = examples::file(entries.filter_map(|it| it.result.as_ref()));
    expect_file!["../../crates/api/src/examples.json"].assert_eq(&file);
}
