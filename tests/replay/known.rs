//! What the entries with a reason differ by, `differences.txt`: a reason excuses these differences, and no
//! others. Ids, texts and positions in lists are left out, since they change from run to run.

use std::collections::{BTreeMap, BTreeSet};

/// The numbers of entries by what they differ by.
#[derive(Default)]
pub(crate) struct Known(BTreeMap<BTreeSet<String>, Vec<u32>>);

impl Known {
    /// Adds an entry.
    pub(crate) fn add(&mut self, n: u32, differences: &[String]) {
        let lasting = differences.iter().map(|it| lasting(it)).collect();
        self.0.entry(lasting).or_default().push(n);
    }

    /// A paragraph for each set of differences, in the order of the entries.
    pub(crate) fn text(&self, run: &str) -> String {
        let mut sets: Vec<_> = self.0.iter().map(|(set, entries)| (entries, set)).collect();
        sets.sort();
        let paragraph = |(entries, set): (&Vec<u32>, &BTreeSet<String>)| {
            let numbers: Vec<String> = entries.iter().map(u32::to_string).collect();
            let lines: String = set.iter().map(|it| format!("    {it}\n")).collect();
            format!("{}:\n{lines}", numbers.join(" "))
        };
        format!("{run}\n{}", sets.into_iter().map(paragraph).collect::<String>())
    }
}

/// `.cart.items[2].total: 3 and not 4` → `.cart.items[].total: 3`.
fn lasting(difference: &str) -> String {
    let (path, what) = difference.split_once(": ").unwrap_or((difference, ""));
    let mut is_inside = false;
    let is_kept = |letter: &char| {
        is_inside = *letter == '[' || is_inside && *letter != ']';
        *letter == '[' || !is_inside
    };
    let path: String = path.chars().filter(is_kept).collect();
    let what = match what.split_once(" and not ") {
        // A text, a record or a list may hold ids.
        Some((here, _)) if here.starts_with(['"', '{', '[']) => "another value",
        Some((here, _)) => here,
        None => what.split(" (").next().unwrap_or(what),
    };
    format!("{path}: {what}")
}
