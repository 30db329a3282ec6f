//! Verification of counters against the entries that they count: one per index group, and one per side of a
//! link.

use std::collections::BTreeMap;

use crate::{
    Direction, KeyBuf, Read, SEQUENCES, Scan, Space, Span, StoreError, sequence::counter_key,
    verify::Findings,
};

/// Groups with missing entries that are kept in memory. An index that lacks more must be rebuilt anyway, and
/// its counters are not checked.
const N_GROUPS_MAX: usize = 10_000;

/// The number of missing entries per group: counters count these as well.
#[derive(Debug, Default)]
pub struct Groups {
    n_missing: BTreeMap<Vec<u8>, u64>,
    is_full: bool,
}

impl Groups {
    /// Adds a missing entry of this group.
    pub fn note(&mut self, group: &[u8]) {
        if self.n_missing.len() >= N_GROUPS_MAX && !self.n_missing.contains_key(group) {
            self.is_full = true;
        } else {
            *self.n_missing.entry(group.to_vec()).or_default() += 1;
        }
    }
}

/// Decides by key (without the prefix of its space) and value whether an entry is stale, that is, should not
/// exist.
pub type IsStale<'a> = dyn FnMut(&[u8], &[u8]) -> Result<bool, StoreError> + 'a;

/// Verifies the counters of a space, whose entries are grouped by all parts of their key except the id at its
/// end. Stale entries are not counted.
pub fn verify_counters(
    tx: &dyn Read,
    space: Space,
    mut missing: Groups,
    findings: &mut Findings,
    is_stale: &mut IsStale<'_>,
) -> Result<(), StoreError> {
    if missing.is_full {
        return Ok(());
    }
    let mut n_counters = 0;
    let mut compare = |group: &[u8], n: u64, findings: &mut Findings| -> Result<(), StoreError> {
        let counter = counter_key(tx, space, group);
        n_counters += u64::from(tx.get(&counter)?.is_some());
        let Some(counted) = findings.number(tx, &counter)? else { return Ok(()) };
        if counted != n {
            findings.add("counter.wrong", space, group, counted.to_string(), n.to_string());
        }
        Ok(())
    };
    let mut group: Option<(Vec<u8>, u64)> = None;
    tx.scan(&Span::prefix(&tx.prefix(space)), Direction::Ascending, &mut |key, value| {
        findings.checked("counted entries")?;
        let key = &key[2..];
        let (head, _) = key.split_at(group_len(key));
        if group.as_ref().is_none_or(|(group, _)| group != head) {
            if let Some((group, n)) = group.take() {
                compare(&group, n, findings)?;
            }
            group = Some((head.to_vec(), missing.n_missing.remove(head).unwrap_or(0)));
        }
        if let Some((_, n)) = &mut group
            && !is_stale(key, value)?
        {
            *n += 1;
        }
        Ok(Scan::Continue(()))
    })?;
    if let Some((group, n)) = group {
        compare(&group, n, findings)?;
    }
    for (group, n) in missing.n_missing {
        compare(&group, n, findings)?;
    }
    // All groups were compared. If there are more counters than groups, some have no entries.
    let all = counter_key(tx, space, b"");
    if tx.count_keys(&Span::prefix(&all), u64::MAX)? == n_counters {
        return Ok(());
    }
    tx.scan(&Span::prefix(&all), Direction::Ascending, &mut |key, _| {
        let group = &key[all.len()..];
        let entries = KeyBuf::new(tx.prefix(space)).tail(group).into_bytes();
        if tx.count_keys(&Span::prefix(&entries), 1)? == 0
            && let Some(counted) = findings.number(tx, key)?
        {
            findings.add("counter.wrong", space, group, counted.to_string(), "0");
        }
        Ok(Scan::Continue(()))
    })
}

/// The length of the group in a key without prefix: all terminated parts. The rest is the id.
pub(crate) fn group_len(key: &[u8]) -> usize {
    key.windows(2).rposition(|it| it == [0x00, 0x01]).map_or(0, |index| index + 2)
}

/// Verifies the total of a space: the number of rows of a table.
pub(crate) fn verify_total(
    tx: &dyn Read,
    space: Space,
    n: u64,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let counted = findings.number(tx, &counter_key(tx, space, b""))?;
    if let Some(counted) = counted.filter(|it| *it != n) {
        findings.add("counter.wrong", space, b"", counted.to_string(), n.to_string());
    }
    Ok(())
}

/// Is this the counter of a space with one of these prefixes?
pub(crate) fn is_counter_of(tx: &dyn Read, key: &[u8], prefixes: &[[u8; 2]]) -> bool {
    key.starts_with(&tx.prefix(SEQUENCES))
        && key.get(2) == Some(&0)
        && key.get(3..5).is_some_and(|it| prefixes.iter().any(|prefix| prefix == it))
}
