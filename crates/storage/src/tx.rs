//! The interface of transactions: reads, range scans, writes.

use std::ops::ControlFlow;

use crate::{Event, Space, StoreError};

/// Continue or stop a scan.
pub type Scan = ControlFlow<()>;

/// Called with the key and value of each entry of a scan.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<Scan, StoreError> + 'a;

/// The direction of a scan, and of a sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// From the smallest key to the largest.
    #[default]
    Ascending,
    /// From the largest key to the smallest.
    Descending,
}

impl Direction {
    /// Does a scan meet `a` before `b`?
    pub fn is_before<T: Ord + ?Sized>(self, a: &T, b: &T) -> bool {
        match self {
            Direction::Ascending => a < b,
            Direction::Descending => a > b,
        }
    }
}

/// A half-open range of keys: `start` is inclusive, `end` exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The lower bound, inclusive.
    pub start: Vec<u8>,
    /// The upper bound, exclusive; `None` is unbounded.
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

    /// The rest of this range after `key`, in the given direction. For resuming a scan.
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

/// Read access to a consistent state.
pub trait Read {
    /// The value of `key`; `None` if it is absent.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Calls `visit` with the entries of `span` in order, until it breaks. The entries are borrowed from the
    /// engine, so a scan allocates nothing.
    fn scan(&self, span: &Span, direction: Direction, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The key prefix of a space.
    ///
    /// # Panics
    /// If the store was opened without this space: a module that is not registered has no keys.
    fn prefix(&self, space: Space) -> [u8; 2];

    /// The number of keys in `span`; reads at most `n_max` of them.
    fn count_keys(&self, span: &Span, n_max: u64) -> Result<u64, StoreError> {
        count_up_to(n_max, |next| self.scan(span, Direction::Ascending, &mut |_, _| Ok(next())))
    }
}

/// Counts what a scan visits; it is to call the function that it gets for each, which breaks it at `n_max`.
pub fn count_up_to(
    n_max: u64,
    scan: impl FnOnce(&mut dyn FnMut() -> Scan) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut n = 0;
    scan(&mut || {
        n += 1;
        if n < n_max { Scan::Continue(()) } else { Scan::Break(()) }
    })?;
    Ok(n)
}

/// Write access within a transaction. Reads see earlier writes of the same transaction. The changes are
/// committed when the body returns `Ok`.
///
/// Single keys are written by [`WriteKeys`], which the kernel does not hand on: modules write records and
/// links by their services, so that indexes, counters, projections and events follow.
pub trait Write: Read {
    /// Sets the value of `key`, or removes it.
    #[doc(hidden)]
    fn set(&mut self, by: Guard, key: Vec<u8>, value: Option<Vec<u8>>);

    /// Appends an event to the outbox. It is published if and only if this transaction commits.
    fn emit(&mut self, event: Event) -> Result<(), StoreError>;
}

/// The permission to write single keys, which only this crate makes. An implementation of [`Write`] that
/// wraps another one passes it on.
pub struct Guard(());

impl Guard {
    pub(crate) fn new() -> Guard {
        Guard(())
    }
}

/// Writes single keys. For what stores something in a form of its own: tables, links, projections.
pub trait WriteKeys {
    /// Sets the value of `key`.
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>);

    /// Removes `key`.
    fn delete(&mut self, key: Vec<u8>);
}

impl<T: Write + ?Sized> WriteKeys for T {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set(Guard::new(), key, Some(value));
    }

    fn delete(&mut self, key: Vec<u8>) {
        self.set(Guard::new(), key, None);
    }
}
