//! Verification (`verify`) of what is stored: findings, and the checks of tables, indexes and counters.
//!
//! Everything is recomputed from the rows, key by key in the order of the keys, so memory does not grow with
//! the store. A value that does not decode is a finding; what would follow from it is not reported again.

mod counters;
mod scratch;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{FieldValue, Read, Slots, Space, StoreError, View, key_text, view::DAMAGED};

pub use counters::{Groups, IsStale, verify_counters};
pub use scratch::Scratch;

/// The kind of finding of a value that does not decode.
const DAMAGED_VALUE: &str = "value.corrupt";

/// Something that is wrong in the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Kind: `index.missing`, `counter.wrong`.
    pub kind: &'static str,
    /// Space of the entry that is wrong or missing.
    pub space: Space,
    /// Key of the entry, as [`key_text`] displays it.
    pub key: String,
    /// The stored state.
    pub found: String,
    /// The state that it should have.
    pub expected: String,
}

/// Findings, and the number of checked entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Number of findings, listed or not.
    pub n_findings: u64,
    /// Number of findings by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Number of checked rows, index entries, link pairs and so on.
    pub checked: BTreeMap<&'static str, u64>,
    /// The first findings, in the order of the checks.
    pub findings: Vec<Finding>,
}

/// Collects findings: counts all, and lists the first ones.
#[derive(Debug)]
pub struct Findings {
    report: Report,
    n_kept_max: usize,
    stop: Arc<AtomicBool>,
    n_checked: Arc<AtomicU64>,
    derived: BTreeSet<Space>,
    counted: BTreeSet<Space>,
}

impl Findings {
    /// Lists at most `n_kept_max` findings. Setting `stop` cancels the verification.
    pub fn new(n_kept_max: usize, stop: Arc<AtomicBool>) -> Findings {
        Findings {
            report: Report::default(),
            n_kept_max,
            stop,
            n_checked: Arc::default(),
            derived: BTreeSet::new(),
            counted: BTreeSet::new(),
        }
    }

    /// Counts the entries that were checked here, too, where others see how far it has come.
    pub fn counting(self, n_checked: Arc<AtomicU64>) -> Findings {
        Findings { n_checked, ..self }
    }

    /// Ignores what a migration will rebuild: the spaces `derived`, and the counters of the spaces `counted`.
    pub fn ignoring(self, derived: BTreeSet<Space>, counted: BTreeSet<Space>) -> Findings {
        Findings { derived, counted, ..self }
    }

    fn is_ignored(&self, kind: &str, space: Space) -> bool {
        let is_count = kind == "counter.wrong" && self.counted.contains(space);
        is_count || kind != DAMAGED_VALUE && self.derived.contains(space)
    }

    /// The report so far.
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
        if self.is_ignored(kind, space) {
            return;
        }
        self.report.n_findings += 1;
        *self.report.kinds.entry(kind).or_default() += 1;
        if self.report.findings.len() < self.n_kept_max {
            let (found, expected) = (found.into(), expected.into());
            self.report.findings.push(Finding { kind, space, key: key_text(key), found, expected });
        }
    }

    /// Counts a checked entry. Error: the verification was cancelled.
    pub fn checked(&mut self, what: &'static str) -> Result<(), StoreError> {
        *self.report.checked.entry(what).or_default() += 1;
        self.n_checked.fetch_add(1, Ordering::Relaxed);
        match self.stop.load(Ordering::Relaxed) {
            true => Err(StoreError::Stopped("verification was cancelled".into())),
            false => Ok(()),
        }
    }

    /// Adds a finding for each value with a wrong checksum. Later checks ignore these values.
    pub fn checksums(&mut self, view: &View) -> Result<(), StoreError> {
        view.damaged(&mut |space, key| {
            let found = "its checksum is wrong: the file was damaged";
            self.add(DAMAGED_VALUE, space, key.get(2..).unwrap_or(key), found, "a value that decodes");
            Ok(())
        })
    }

    /// Decodes a value of a space that is no table; one that does not decode is a finding.
    pub fn decoded<T: FieldValue + Serialize + DeserializeOwned>(
        &mut self,
        of: &Slots<T>,
        key: &[u8],
        value: &[u8],
    ) -> Option<T> {
        self.read(of.space(), key, value, |_| of.decode(key, value))
    }

    /// Reads a value; one that does not decode is a finding.
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

    /// The value of a counter, zero if there is none; one that does not decode is a finding.
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

/// `None` for a value that does not decode: the check of its own space reports it.
pub fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Was this value damaged? The check of the checksums reports it.
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
