//! The memory engine: for tests, and for `--data :memory:`.

use std::{
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

use imbl::OrdMap;

use crate::{Changes, Direction, Engine, Neighbours, Raw, Span, StoreError, Visit};

type Map = OrdMap<Vec<u8>, Arc<[u8]>>;

/// A persistent (immutable) map, so that a snapshot is a pointer. Clones share the same "disk", so that a
/// test can crash a store and open another one on its data.
#[derive(Clone, Default)]
pub struct Memory {
    disk: Arc<Mutex<Map>>,
}

impl Memory {
    /// A copy with the same content that is independent from now on.
    pub fn fork(&self) -> Memory {
        let map = self.disk.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Memory { disk: Arc::new(Mutex::new(map)) }
    }
}

impl Engine for Memory {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        Ok(Arc::new(Snapshot(self.disk.lock().unwrap_or_else(PoisonError::into_inner).clone())))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, change) in changes {
            match change {
                Some(value) => disk.insert(key.clone(), value.as_slice().into()),
                None => disk.remove(key),
            };
        }
        Ok(())
    }
}

struct Snapshot(Map);

impl Raw for Snapshot {
    fn get(&self, key: &[u8], _: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).map(|value| value.to_vec()))
    }

    fn n_entries(&self) -> Result<u64, StoreError> {
        Ok(self.0.len() as u64)
    }

    fn scan(
        &self,
        span: &Span,
        direction: Direction,
        visit: &mut Visit<'_>,
        _: &mut Neighbours<'_>,
    ) -> Result<(), StoreError> {
        let end = match &span.end {
            Some(end) if *end <= span.start => return Ok(()),
            Some(end) => Bound::Excluded(end.as_slice()),
            None => Bound::Unbounded,
        };
        let mut range = self.0.range::<_, [u8]>((Bound::Included(span.start.as_slice()), end));
        let mut next = || match direction {
            Direction::Ascending => range.next(),
            Direction::Descending => range.next_back(),
        };
        while let Some((key, value)) = next() {
            if visit(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
