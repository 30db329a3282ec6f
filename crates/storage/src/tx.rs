//! What a transaction body sees of the store.

use std::ops::ControlFlow;

use crate::{Event, Space, StoreError};

/// Go on, or stop scanning.
pub type Scan = ControlFlow<()>;

/// Is shown the entries of a scan, key and value, one after the other.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<Scan, StoreError> + 'a;

/// In which direction a scan runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// From the smallest key.
    #[default]
    Ascending,
    /// From the largest key.
    Descending,
}

/// A range of keys: from `start` (included) to `end` (excluded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first key.
    pub start: Vec<u8>,
    /// The key behind the last; none is the end of the store.
    pub end: Option<Vec<u8>>,
}

impl Span {
    /// All keys that begin with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        let mut end = prefix.to_vec();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return Span { start: prefix.to_vec(), end: Some(end) };
            }
        }
        Span { start: prefix.to_vec(), end: None }
    }

    /// The part of this range behind `key`, or before it when the scan descends.
    pub fn beyond(mut self, key: &[u8], direction: Direction) -> Self {
        match direction {
            Direction::Ascending => {
                self.start = key.to_vec();
                self.start.push(0);
            }
            Direction::Descending => self.end = Some(key.to_vec()),
        }
        self
    }
}

/// A consistent view of all keys.
pub trait Read {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Shows the entries of `span` to `visit`, in order, until it breaks. The visitor is lent the engine's own
    /// bytes, so a scan allocates nothing.
    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The key prefix of a space.
    ///
    /// # Panics
    /// When the store was opened without this space: a module that is not registered has no keys.
    fn prefix(&self, space: Space) -> [u8; 2];
}

/// A view that takes changes, and shows them to whoever reads it afterwards. They are written when the body
/// that got it returns `Ok`.
pub trait Write: Read {
    /// Sets the value of `key`.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);

    /// Removes `key`.
    fn delete(&mut self, key: Vec<u8>);

    /// Appends an event to the outbox: it happens if this transaction commits, and not otherwise.
    fn emit(&mut self, event: Event) -> Result<(), StoreError>;
}
