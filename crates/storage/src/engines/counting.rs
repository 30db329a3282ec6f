//! An engine that counts reads: for tests of what a request costs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{Changes, Direction, Engine, Neighbours, Raw, Span, StoreError, Visit, engines::Memory};

/// The memory engine, with a count of the keys that are looked up and the entries that are scanned, and of
/// the snapshots that are held.
#[derive(Clone, Default)]
pub struct Counting {
    memory: Memory,
    n_read: Arc<AtomicUsize>,
    n_snapshots: Arc<AtomicUsize>,
}

impl Counting {
    /// Counts the reads of what is there.
    pub fn over(memory: Memory) -> Counting {
        Counting { memory, ..Counting::default() }
    }

    /// The number of reads so far.
    pub fn n_read(&self) -> usize {
        self.n_read.load(Ordering::Relaxed)
    }

    /// The number of snapshots that somebody holds: a file could not reuse the space of what they show. One
    /// is that of the last commit.
    pub fn n_snapshots(&self) -> usize {
        self.n_snapshots.load(Ordering::SeqCst)
    }
}

impl Engine for Counting {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        self.n_snapshots.fetch_add(1, Ordering::SeqCst);
        let (n_read, n_snapshots) = (self.n_read.clone(), self.n_snapshots.clone());
        Ok(Arc::new(Snapshot { raw: self.memory.snapshot()?, n_read, n_snapshots }))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.memory.commit(changes)
    }
}

struct Snapshot {
    raw: Arc<dyn Raw>,
    n_read: Arc<AtomicUsize>,
    n_snapshots: Arc<AtomicUsize>,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.n_snapshots.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Raw for Snapshot {
    fn get(&self, key: &[u8], neighbours: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        self.n_read.fetch_add(1, Ordering::Relaxed);
        self.raw.get(key, neighbours)
    }

    fn scan(
        &self,
        span: &Span,
        direction: Direction,
        visit: &mut Visit<'_>,
        neighbours: &mut Neighbours<'_>,
    ) -> Result<(), StoreError> {
        // Seeking the first entry is a read as well.
        self.n_read.fetch_add(1, Ordering::Relaxed);
        let mut counted = |key: &[u8], value: &[u8]| {
            self.n_read.fetch_add(1, Ordering::Relaxed);
            visit(key, value)
        };
        self.raw.scan(span, direction, &mut counted, neighbours)
    }

    fn n_entries(&self) -> Result<u64, StoreError> {
        self.raw.n_entries()
    }
}
