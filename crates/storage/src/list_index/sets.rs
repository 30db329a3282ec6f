//! Sets of numbers as compressed bitmaps ([Roaring](https://roaringbitmap.org)), in chunks of 65,536 numbers:
//! a change rewrites one chunk, of 8 kB at most, and a set of a million is read in 16 keys.

use crate::{
    Direction, KeyBuf, Read, Scan, Space, Span, StoreError, Write, WriteKeys,
    key::key_text,
    list_index::{NumberSet, Part},
};

/// A space, or a part of it, with one set of numbers per group.
#[derive(Clone, Copy, Debug)]
pub struct Sets {
    space: Space,
    /// What the keys of the part begin with.
    part: Option<u8>,
}

impl Sets {
    /// Sets that fill a space.
    pub const fn new(space: Space) -> Sets {
        Sets { space, part: None }
    }

    /// The space.
    pub const fn space(&self) -> Space {
        self.space
    }

    pub(super) fn in_part(space: Space, part: Part) -> Sets {
        Sets { space, part: Some(part as u8) }
    }

    fn key(&self, tx: &dyn Read, group: &[u8]) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space)).tail(self.part.as_slice()).tail(group).into_bytes()
    }

    fn decode(&self, key: &[u8], value: &[u8]) -> Result<NumberSet, StoreError> {
        NumberSet::deserialize_from(value).map_err(|error| StoreError::Corrupt {
            space: self.space,
            key: key_text(&key[2..]),
            reason: error.to_string(),
        })
    }

    /// Adds a number to the set of a group, or removes it. `group` ends with a terminated part, or has the
    /// same length in all keys.
    pub fn set(&self, tx: &mut dyn Write, group: &[u8], number: u32, is_in: bool) -> Result<(), StoreError> {
        let [high, low, ..] = number.to_be_bytes();
        let mut key = self.key(tx, group);
        key.extend([high, low]);
        let mut chunk = match tx.get(&key)? {
            Some(value) => self.decode(&key, &value)?,
            None => NumberSet::new(),
        };
        let has_changed = if is_in { chunk.insert(number) } else { chunk.remove(number) };
        if !has_changed {
            return Ok(());
        }
        if chunk.is_empty() {
            tx.delete(key);
            return Ok(());
        }
        let mut value = Vec::with_capacity(chunk.serialized_size());
        chunk.serialize_into(&mut value).map_err(|error| StoreError::Engine(error.to_string()))?;
        tx.put(key, value);
        Ok(())
    }

    /// The set of a group, or of all groups that begin with these bytes.
    pub fn read(&self, tx: &dyn Read, group: &[u8]) -> Result<NumberSet, StoreError> {
        let mut set = NumberSet::new();
        self.add_to(tx, group, &mut set)?;
        Ok(set)
    }

    /// Adds the set of a group to `all`.
    pub(super) fn add_to(&self, tx: &dyn Read, group: &[u8], all: &mut NumberSet) -> Result<(), StoreError> {
        let span = Span::prefix(&self.key(tx, group));
        tx.scan(&span, Direction::Ascending, &mut |key, value| {
            *all |= self.decode(key, value)?;
            Ok(Scan::Continue(()))
        })
    }

    pub(super) fn is_empty(&self, tx: &dyn Read, group: &[u8]) -> Result<bool, StoreError> {
        Ok(tx.count_keys(&Span::prefix(&self.key(tx, group)), 1)? == 0)
    }
}

/// Leaves in `all` what is in `set`, too; `None` stands for everything.
pub fn intersect(all: &mut Option<NumberSet>, set: NumberSet) {
    *all = Some(match all.take() {
        Some(all) => all & set,
        None => set,
    });
}

/// Are these the stored bytes of two sets, of which the first has all numbers of the second?
pub(crate) fn has_all(stored: &[u8], expected: &[u8]) -> bool {
    let set = |bytes: &[u8]| NumberSet::deserialize_from(bytes).ok();
    set(stored).zip(set(expected)).is_some_and(|(stored, expected)| expected.is_subset(&stored))
}
