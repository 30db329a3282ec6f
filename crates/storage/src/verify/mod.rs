//! Verification of what is stored: findings, and the checks of tables, indexes and counters.
//!
//! Everything is recomputed from the rows, key by key in the order of the keys, so that memory does not grow
//! with the store. A value that does not decode is a finding like others; what would follow from it is not
//! told besides.

mod counters;
mod scratch;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{FieldValue, Read, Slots, Space, StoreError, View, key_text, store::DAMAGED};

pub use counters::{Groups, IsStale, verify_counters};
pub use scratch::Scratch;

/// The kind of finding that tells of a value that does not decode.
const DAMAGED_VALUE: &str = "value.corrupt";

/// One thing that is wrong in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What is wrong: `index.missing`, `counter.wrong`.
    pub kind: &'static str,
    /// The space of the entry that is wrong, or is not there.
    pub space: Space,
    /// Its key as [`key_text`] shows it.
    pub key: String,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: String,
}

/// What was found, and how much was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many findings there are, listed or not.
    pub n_findings: u64,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// How much was looked at: rows, index entries, pairs of links.
    pub checked: BTreeMap<&'static str, u64>,
    /// The first findings, in the order in which they were found.
    pub findings: Vec<Finding>,
}

/// Collects findings: all are counted, and the first ones are kept.
#[derive(Debug)]
pub struct Findings {
    report: Report,
    n_kept_max: usize,
    stop: Arc<AtomicBool>,
    derived: BTreeSet<Space>,
    counted: BTreeSet<Space>,
}

impl Findings {
    /// Keeps so many findings, and goes on until `stop` is set.
    pub fn new(n_kept_max: usize, stop: Arc<AtomicBool>) -> Findings {
        Findings {
            report: Report::default(),
            n_kept_max,
            stop,
            derived: BTreeSet::new(),
            counted: BTreeSet::new(),
        }
    }

    /// The same, which passes over what a migration is going to build anew: all that is in the first spaces,
    /// and the counts of the others.
    pub fn passing_over(self, derived: BTreeSet<Space>, counted: BTreeSet<Space>) -> Findings {
        Findings { derived, counted, ..self }
    }

    fn is_passed_over(&self, kind: &str, space: Space) -> bool {
        let is_count = kind == "counter.wrong" && self.counted.contains(space);
        is_count || kind != DAMAGED_VALUE && self.derived.contains(space)
    }

    /// What there is so far.
    pub fn into_report(self) -> Report {
        self.report
    }

    /// Adds a finding. `key` is the key without the prefix of its space.
    pub fn add(
        &mut self,
        kind: &'static str,
        space: Space,
        key: &[u8],
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        if self.is_passed_over(kind, space) {
            return;
        }
        self.report.n_findings += 1;
        *self.report.kinds.entry(kind).or_default() += 1;
        if self.report.findings.len() < self.n_kept_max {
            let (found, expected) = (found.into(), expected.into());
            self.report.findings.push(Finding { kind, space, key: key_text(key), found, expected });
        }
    }

    /// Notes that one more of something was looked at. Errors when nobody waits for the report any more.
    pub fn checked(&mut self, what: &'static str) -> Result<(), StoreError> {
        *self.report.checked.entry(what).or_default() += 1;
        match self.stop.load(Ordering::Relaxed) {
            true => Err(StoreError::Stopped("verification was called off".into())),
            false => Ok(()),
        }
    }

    /// Adds a finding for each value whose checksum is wrong. The checks after it pass these values over.
    pub fn checksums(&mut self, view: &View) -> Result<(), StoreError> {
        view.damaged(&mut |space, key| {
            let found = "its checksum is wrong: the file was damaged";
            self.add(DAMAGED_VALUE, space, key.get(2..).unwrap_or(key), found, "a value that decodes");
            Ok(())
        })
    }

    /// Decodes a value of a space beside the tables; one that does not decode is a finding.
    pub fn decoded<T: FieldValue + Serialize + DeserializeOwned>(
        &mut self,
        of: &Slots<T>,
        key: &[u8],
        value: &[u8],
    ) -> Option<T> {
        self.read(of.space(), key, value, |_| of.decode(key, value))
    }

    /// Reads a value; one that does not read back is a finding.
    pub fn read<T>(
        &mut self,
        space: Space,
        key: &[u8],
        value: &[u8],
        read: impl FnOnce(&str) -> Result<T, StoreError>,
    ) -> Option<T> {
        if is_damaged(value) {
            return None;
        }
        match read(&String::from_utf8_lossy(key)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(DAMAGED_VALUE, space, key, reason(error), "a value that decodes");
                None
            }
        }
    }

    /// The value of a counter, zero where there is none; one that cannot be read is a finding.
    pub(crate) fn number(&mut self, tx: &dyn Read, key: &[u8]) -> Result<Option<u64>, StoreError> {
        if tx.get(key)?.is_some_and(|it| is_damaged(&it)) {
            return Ok(None);
        }
        match crate::sequence::read_number(tx, key) {
            Err(error @ StoreError::Corrupt { .. }) => {
                self.add(DAMAGED_VALUE, crate::SEQUENCES, &key[2..], reason(error), "a counter");
                Ok(None)
            }
            number => number.map(Some),
        }
    }
}

/// What was read; nothing, where a value did not decode: the check of its own space has told of it.
pub fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Was this value damaged? That was told of when the checksums were checked.
pub fn is_damaged(value: &[u8]) -> bool {
    value == DAMAGED
}

fn reason(error: StoreError) -> String {
    match error {
        StoreError::Corrupt { reason, .. } => reason,
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_beyond_the_limit_are_counted_only() {
        let mut findings = Findings::new(2, Arc::default());
        for n in 0..5_u8 {
            findings.add("row.misplaced", "product", &[b'a' + n], "b", "a");
        }
        let report = findings.into_report();
        assert_eq!((report.n_findings, report.findings.len(), report.kinds["row.misplaced"]), (5, 2, 5));
    }

    #[test]
    fn cancelled_verification_ends_early() {
        let stop = Arc::new(AtomicBool::new(false));
        let mut findings = Findings::new(1, stop.clone());
        findings.checked("rows").expect("it goes on");
        stop.store(true, Ordering::Relaxed);
        assert!(findings.checked("rows").is_err());
    }
}
