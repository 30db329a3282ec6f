//! The report of an import: counts of created, updated and unchanged records, and problems with the file.

use std::{collections::BTreeMap, fmt};

use crate::{Place, detail::shortened, source::Source};

/// Problems of one kind that are listed; the others are counted. Enough to see what is wrong with a file, and
/// few enough to be read and kept in memory.
pub(crate) const LISTED_MAX: usize = 100;

/// Characters of a message: what a file says may be long.
const MESSAGE_CHARS_MAX: usize = 300;

/// What a problem is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A second record with the same handle, title or SKU, or a second value where there may be one.
    Duplicate,
    /// A record without what it needs: a handle, a name, a title, a variant.
    Incomplete,
    /// A reference to something that does not exist, or comes later.
    Reference,
    /// Text that was cleaned.
    Text,
    /// A country or a currency of a channel.
    Region,
    /// A window that is no window, or a listing that cannot be hidden.
    Listing,
    /// A variant without a SKU, or with that of another product.
    Sku,
    /// A title or an option value that another variant has.
    Title,
    /// A price that is none, or no price at all.
    Price,
    /// A stock that cannot be set.
    Stock,
    /// A kit whose parts cannot be taken.
    Kit,
    /// A column that is unknown, or has no place here.
    Column,
    /// A cell that says something else than its column holds.
    Cell,
    /// More of something than a product may have.
    Limit,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProblemKind::Duplicate => "duplicates",
            ProblemKind::Incomplete => "incomplete records",
            ProblemKind::Reference => "references to what does not exist",
            ProblemKind::Text => "cleaned texts",
            ProblemKind::Region => "regions",
            ProblemKind::Listing => "listings",
            ProblemKind::Sku => "SKUs",
            ProblemKind::Title => "titles of variants",
            ProblemKind::Price => "prices",
            ProblemKind::Stock => "stocks",
            ProblemKind::Kit => "kits",
            ProblemKind::Column => "columns",
            ProblemKind::Cell => "cells",
            ProblemKind::Limit => "limits",
        })
    }
}

/// A problem with the file: something that was corrected or left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path in the file: `products[3] "grey-hoodie" › variants[0]`, or `products.csv:17, column "Price"`.
    pub path: String,
    /// The row of a file of rows, as a spreadsheet counts it: the header is row 1.
    pub row: Option<u64>,
    /// The name of the column, if it is about one.
    pub column: Option<String>,
    /// The problem, and what the import did about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// Where a record stands in a file: the steps to it, and its place in a file of rows.
#[derive(Clone)]
pub(crate) struct Path {
    steps: String,
    place: Option<Place>,
}

impl Path {
    pub(crate) fn of(steps: String, place: Option<Place>) -> Path {
        Path { steps, place }
    }

    /// The path of a record in a list of this one.
    pub(crate) fn step(&self, list: &str, n: usize, place: Option<Place>) -> Path {
        Path { steps: format!("{} › {list}[{n}]", self.steps), place: place.or(self.place) }
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
    /// Problems with the file: the first ones of each kind, in the order of the file.
    pub problems: Vec<Problem>,
    /// The number of problems of each kind.
    pub n_problems: BTreeMap<ProblemKind, usize>,
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

    pub(crate) fn problem(
        &mut self,
        source: &Source,
        path: &Path,
        kind: ProblemKind,
        message: impl Into<String>,
    ) {
        let n_problems = self.n_problems.entry(kind).or_default();
        *n_problems += 1;
        if *n_problems <= LISTED_MAX {
            let column = path.place.and_then(|it| source.column(it, kind)).map(str::to_owned);
            let text = match path.place {
                Some(place) => source.path(place, column.as_deref()),
                None => path.steps.clone(),
            };
            let row = path.place.map(|it| it.row);
            let message = shortened(&message.into(), MESSAGE_CHARS_MAX).into_owned();
            self.problems.push(Problem { path: text, row, column, message });
        }
    }

    /// Counts further problems of a kind, of which as many as are listed were told before.
    pub(crate) fn add_unlisted(&mut self, kind: ProblemKind, n: usize) {
        *self.n_problems.entry(kind).or_default() += n;
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
        for (kind, n_problems) in self.n_problems.iter().filter(|it| *it.1 > LISTED_MAX) {
            writeln!(f, "! … and {} more: {kind}", n_problems - LISTED_MAX)?;
        }
        if self.changed_anything() { Ok(()) } else { writeln!(f, "nothing changed") }
    }
}
