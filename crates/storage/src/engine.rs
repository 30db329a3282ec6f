//! The interface of storage engines: snapshots, and atomic, durable commits.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Direction, Span, StoreError, Visit};

/// New values by key, in stored form; `None` is a deletion.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The bytes of keys and values.
pub(crate) fn size(changes: &Changes) -> u64 {
    changes.iter().map(|(key, value)| (key.len() + value.as_ref().map_or(0, Vec::len)) as u64).sum()
}

/// Called with the neighbours of the requested entries, to verify them.
pub type Neighbours<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// A snapshot: all keys as of one commit, for as long as it is held.
pub trait Raw: Send + Sync {
    /// See [`crate::Read::get`]. For an absent key, an engine whose keys can be damaged passes both
    /// neighbours to `neighbours`: if the key exists and is damaged, it is one of them.
    fn get(&self, key: &[u8], neighbours: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError>;

    /// See [`crate::Read::scan`]. An engine whose keys can be damaged also passes the entries on both sides
    /// of the result to `neighbours`: a damaged key may have left the span.
    fn scan(
        &self,
        span: &Span,
        direction: Direction,
        visit: &mut Visit<'_>,
        neighbours: &mut Neighbours<'_>,
    ) -> Result<(), StoreError>;

    /// The number of keys.
    fn n_entries(&self) -> Result<u64, StoreError>;
}

/// A storage engine. It is owned by one writer thread and sees commits only. Transactions run above it, over
/// a snapshot and the changes of the batch so far.
pub trait Engine: Send + 'static {
    /// The snapshot of the last commit.
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError>;

    /// Writes all of `changes` atomically. On `Ok` they are durable.
    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// As `commit`, but not durable before the next `commit` or `flush`: a crash may lose it, and then all
    /// that came after it. For replicas, which find it again in the log.
    fn apply(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.commit(changes)
    }

    /// Makes durable what was applied.
    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
