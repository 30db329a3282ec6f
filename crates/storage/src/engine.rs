//! What an engine must do: lend snapshots, and apply a set of changes atomically and durably.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Direction, Span, StoreError, Visit};

/// New values by key, as they are stored; `None` is a deletion.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Is shown entries beside those that were asked for, to check them.
pub type Neighbours<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// A snapshot: all keys as of one commit, for as long as it is held.
pub trait Raw: Send + Sync {
    /// See [`crate::Read::get`]. Where there is no such key, an engine whose keys may have been damaged shows its
    /// neighbours to `beside`: if the key is there, and damaged, it is one of them.
    fn get(&self, key: &[u8], neighbours: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError>;

    /// See [`crate::Read::scan`]. An engine whose keys may have been damaged shows the entries on both sides
    /// of what it shows to `beside`: a key that is damaged may have left the span.
    fn scan(
        &self,
        span: &Span,
        direction: Direction,
        visit: &mut Visit<'_>,
        neighbours: &mut Neighbours<'_>,
    ) -> Result<(), StoreError>;

    /// How many keys there are.
    fn n_entries(&self) -> Result<u64, StoreError>;
}

/// Where the bytes live. One writer thread owns it; it sees commits only, never transactions: those run above
/// it, over a snapshot and the changes of the batch so far.
pub trait Engine: Send + 'static {
    /// The state after the last commit.
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError>;

    /// Writes all of `changes`, or nothing. When it returns `Ok` they are on disk.
    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError>;
}
