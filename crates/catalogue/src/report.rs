//! The report of an import: counts of created, updated and unchanged records, and problems with the file.

use std::{collections::BTreeMap, fmt};

/// A problem with the file: something that was corrected or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path in the file: `products[3] "grey-hoodie" › variants[0]`.
    pub path: String,
    /// The problem, and what the import did about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Counts of the records of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records that were created.
    pub created: usize,
    /// Records that were updated.
    pub updated: usize,
    /// Records that were equal already.
    pub unchanged: usize,
}

/// The result of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Counts by kind of record.
    pub tallies: BTreeMap<&'static str, Tally>,
    /// Problems with the file.
    pub problems: Vec<Problem>,
}

/// What the import did with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Created,
    Updated,
    Unchanged,
}

impl Report {
    /// True if the import created or updated anything.
    pub fn changed_anything(&self) -> bool {
        self.tallies.values().any(|it| it.created + it.updated > 0)
    }

    pub(crate) fn count(&mut self, kind: &'static str, fate: Fate) {
        let tally = self.tallies.entry(kind).or_default();
        match fate {
            Fate::Created => tally.created += 1,
            Fate::Updated => tally.updated += 1,
            Fate::Unchanged => tally.unchanged += 1,
        }
    }

    pub(crate) fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), message: message.into() });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, Tally { created, updated, unchanged }) in &self.tallies {
            writeln!(f, "{kind:<20} {created:>6} created {updated:>6} updated {unchanged:>6} unchanged")?;
        }
        for problem in &self.problems {
            writeln!(f, "! {problem}")?;
        }
        if self.changed_anything() { Ok(()) } else { writeln!(f, "nothing changed") }
    }
}
