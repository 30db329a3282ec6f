//! An engine that counts reads: for tests of what a request costs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::{Changes, Direction, Engine, Neighbours, Raw, Span, StoreError, Visit, engines::Memory};

/// The memory engine, with a count of the keys that are looked up and the entries that are scanned.
#[derive(Clone, Default)]
pub struct Counting {
    memory: Memory,
    n_read: Arc<AtomicUsize>,
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
}

impl Engine for Counting {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        Ok(Arc::new(Snapshot { raw: self.memory.snapshot()?, n_read: self.n_read.clone() }))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.memory.commit(changes)
    }
}

struct Snapshot {
    raw: Arc<dyn Raw>,
    n_read: Arc<AtomicUsize>,
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
