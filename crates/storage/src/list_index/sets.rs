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

    /// The key of the chunk that has this number.
    fn chunk_key(&self, tx: &dyn Read, group: &[u8], number: u32) -> Vec<u8> {
        let [high, low, ..] = number.to_be_bytes();
        let mut key = self.key(tx, group);
        key.extend([high, low]);
        key
    }

    /// The stored chunk; an empty one if there is none.
    fn chunk(&self, tx: &dyn Read, key: &[u8]) -> Result<NumberSet, StoreError> {
        tx.get(key)?.map_or_else(|| Ok(NumberSet::new()), |value| self.decode(key, &value))
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
        let key = self.chunk_key(tx, group, number);
        let mut stored = tx.get(&key)?;
        if let (Some(value), true) = (&mut stored, is_in) {
            match insert(value, number) {
                Some(true) => {
                    tx.put(key, stored.unwrap_or_default());
                    return Ok(());
                }
                Some(false) => return Ok(()),
                None => {}
            }
        }
        let mut chunk = match stored {
            Some(value) => self.decode(&key, &value)?,
            None => NumberSet::new(),
        };
        let has_changed = if is_in { chunk.insert(number) } else { chunk.remove(number) };
        if has_changed { put_chunk(tx, key, &chunk) } else { Ok(()) }
    }

    /// Adds each of these numbers to the set of a group, or removes it. A chunk is decoded once for all of
    /// them.
    pub fn set_all(
        &self,
        tx: &mut dyn Write,
        group: &[u8],
        mut numbers: Vec<(u32, bool)>,
    ) -> Result<(), StoreError> {
        numbers.sort_unstable();
        for of_chunk in numbers.chunk_by(|a, b| a.0 >> 16 == b.0 >> 16) {
            if of_chunk.len() < N_DECODED_MIN {
                of_chunk.iter().try_for_each(|(number, is_in)| self.set(tx, group, *number, *is_in))?;
                continue;
            }
            let key = self.chunk_key(tx, group, of_chunk[0].0);
            let mut chunk = self.chunk(tx, &key)?;
            for (number, is_in) in of_chunk {
                if *is_in {
                    chunk.insert(*number)
                } else {
                    chunk.remove(*number)
                };
            }
            put_chunk(tx, key, &chunk)?;
        }
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

/// Numbers of a chunk that are changed together from which on decoding it costs less than changing its bytes
/// for each.
const N_DECODED_MIN: usize = 8;

/// Stores a chunk; an empty one is not kept.
fn put_chunk(tx: &mut dyn Write, key: Vec<u8>, chunk: &NumberSet) -> Result<(), StoreError> {
    if chunk.is_empty() {
        tx.delete(key);
        return Ok(());
    }
    let mut value = Vec::with_capacity(chunk.serialized_size());
    chunk.serialize_into(&mut value).map_err(|error| StoreError::Engine(error.to_string()))?;
    tx.put(key, value);
    Ok(())
}

/// How a chunk without runs begins: the cookie of the format, and one container.
const ONE_CONTAINER: [u8; 8] = [0x3A, 0x30, 0, 0, 1, 0, 0, 0];
/// Bytes before the container: also its key, its cardinality less one, and its offset.
const N_HEAD: usize = 16;
/// Numbers of a container that is a list of them; one with more is a bitmap.
const N_LISTED_MAX: usize = 4096;
const N_BITMAP_BYTES: usize = 65_536 / 8;

/// Adds a number to a stored chunk, without decoding it: an import adds each of its records to dozens of
/// chunks. True if it was not in it. `None` if the chunk has another form, or gets one.
pub(super) fn insert(chunk: &mut Vec<u8>, number: u32) -> Option<bool> {
    let [low, high, key_low, key_high] = number.to_le_bytes();
    let low = u16::from_le_bytes([low, high]);
    if chunk.len() < N_HEAD || chunk[..8] != ONE_CONTAINER || chunk[8..10] != [key_low, key_high] {
        return None;
    }
    let n_before = usize::from(u16::from_le_bytes([chunk[10], chunk[11]])) + 1;
    let container = chunk.len() - N_HEAD;
    if n_before > N_LISTED_MAX && container == N_BITMAP_BYTES {
        let (byte, bit) = (N_HEAD + usize::from(low / 8), 1 << (low % 8));
        if chunk[byte] & bit != 0 {
            return Some(false);
        }
        chunk[byte] |= bit;
    } else if n_before < N_LISTED_MAX && container == n_before * 2 {
        let at = |n: usize| u16::from_le_bytes([chunk[N_HEAD + n * 2], chunk[N_HEAD + n * 2 + 1]]);
        // Most numbers are new ones, and the largest.
        let (mut from, mut to) = if at(n_before - 1) < low { (n_before, n_before) } else { (0, n_before) };
        while from < to {
            let middle = from.midpoint(to);
            if at(middle) < low { from = middle + 1 } else { to = middle }
        }
        if from < n_before && at(from) == low {
            return Some(false);
        }
        let place = N_HEAD + from * 2;
        chunk.splice(place..place, low.to_le_bytes());
    } else {
        return None;
    }
    // The number of those before it is the new cardinality less one, which a full chunk has already.
    let n_before = u16::try_from(n_before).ok()?;
    chunk[10..12].copy_from_slice(&n_before.to_le_bytes());
    Some(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in and out of order, until their chunk is full: lists, bitmaps, and the change between them.
    #[test]
    fn numbers_are_added_to_stored_chunks_as_to_sets() {
        let stored = |set: &NumberSet| {
            let mut bytes = Vec::new();
            set.serialize_into(&mut bytes).expect("bytes");
            bytes
        };
        for step in [1, 7, 40_503] {
            let mut set = NumberSet::from_iter([3 << 16]);
            let mut bytes = stored(&set);
            for n in 0..66_000_u32 {
                let number = (3 << 16) | (n.wrapping_mul(step) & 0xFFFF);
                let is_new = set.insert(number);
                match insert(&mut bytes, number) {
                    Some(was_new) => assert_eq!(was_new, is_new, "{number}"),
                    None => {
                        assert_eq!(set.len(), N_LISTED_MAX as u64 + 1, "{number}");
                        bytes = stored(&set);
                    }
                }
                if n % 1000 < 2 || set.len() < 20 {
                    assert_eq!(bytes, stored(&set), "{number}");
                }
            }
            assert_eq!((set.len(), bytes == stored(&set)), (65_536, true));
        }
        let mut other = stored(&NumberSet::from_iter([1, 1 << 16]));
        assert_eq!(insert(&mut other, 2), None);
    }
}
