//! What was recorded of the original is replayed here. What differs is listed with its reason, or counted as open; the
//! counts are in git, and may only get better.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use atoll_testkit::{Recording, Replay};
use expect_test::expect_file;

/// A request that the original refused and that would be done here is not sent: the rest was recorded without it.
const NOT_SENT: &str = "not sent: ";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The recordings by name, in the order in which they were made.
fn recordings() -> Vec<(String, Recording)> {
    let files = fs::read_dir(folder().join("recordings")).expect("the recordings");
    let mut paths: Vec<PathBuf> = files.map(|it| it.expect("a file").path()).collect();
    paths.retain(|it| it.extension().is_some_and(|it| it == "json"));
    // `19` was recorded last; the names sort so.
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a recording");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).expect("a recording"))
    };
    paths.into_iter().map(read).collect()
}

/// What differs on purpose: `n reason`, a line each; the reason is a line of COMPAT.md.
fn deviations() -> BTreeMap<u32, String> {
    let text = fs::read_to_string(folder().join("replay/deviations.txt")).expect("the deviations");
    let lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let parse = |line: &str| {
        let (n, reason) = line.split_once(' ').expect("a number and a reason");
        (n.parse().expect("a number"), reason.to_owned())
    };
    lines.map(parse).collect()
}

#[tokio::test]
async fn recordings_are_answered_as_they_were() {
    let (deviations, mut replay) = (deviations(), Replay::new().await);
    let (mut counts, mut open, mut needless) = (String::new(), String::new(), Vec::new());
    for (name, recording) in recordings() {
        let (mut n_matched, mut n_on_purpose, mut n_open) = (0, 0, 0);
        for entry in &recording.entries {
            if deviations.get(&entry.n).is_some_and(|it| it.starts_with(NOT_SENT)) {
                n_on_purpose += 1;
                continue;
            }
            let Some(played) = replay.play(entry).await else { continue };
            match (played.differences.is_empty(), deviations.contains_key(&played.n)) {
                (true, false) => n_matched += 1,
                (true, true) => needless.push(played.n),
                (false, true) => n_on_purpose += 1,
                (false, false) => {
                    n_open += 1;
                    writeln!(open, "{} {} ({})", played.n, played.request, entry.name).expect("text");
                    for it in played.differences.iter().take(12) {
                        writeln!(open, "    {it}").expect("text");
                    }
                }
            }
        }
        writeln!(counts, "{name}: {n_matched} matched, {n_on_purpose} on purpose, {n_open} open")
            .expect("text");
    }
    // For whoever looks into what is open: `cargo xtask replay` shows it.
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay.txt"), &open).expect("the report");
    assert_eq!(needless, [0; 0], "these are listed as deviations, and do not deviate");
    expect_file!["counts.txt"].assert_eq(&counts);
}
