//! Counters: sequences of display ids and outbox positions, and the number of entries per index group.

use crate::{
    Direction, KeyBuf, Read, Scan, Space, Span, StoreError, Write, WriteKeys, key::group_key, key_text,
};

/// The space of all sequences and counters.
pub const SEQUENCES: Space = "sequence";

/// The next number of the sequence `name`, from 1.
pub fn next_number(tx: &mut dyn Write, name: &str) -> Result<u64, StoreError> {
    let key = KeyBuf::new(tx.prefix(SEQUENCES)).tail(name.as_bytes()).into_bytes();
    let next = read_number(tx, &key)? + 1;
    tx.put(key, next.to_be_bytes().to_vec());
    Ok(next)
}

/// The last number that the sequence `name` issued; zero if none.
pub fn last_number(tx: &dyn Read, name: &str) -> Result<u64, StoreError> {
    read_number(tx, &KeyBuf::new(tx.prefix(SEQUENCES)).tail(name.as_bytes()).into_bytes())
}

/// Calls `visit` with the name of each sequence and the last number that it issued. Counters are none: they
/// are derived from what they count.
pub fn sequences(
    tx: &dyn Read,
    visit: &mut dyn FnMut(&str, u64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    tx.scan(&Span::prefix(&tx.prefix(SEQUENCES)), Direction::Ascending, &mut |key, value| {
        if key.get(2) != Some(&COUNTER) {
            visit(&String::from_utf8_lossy(&key[2..]), number_of(key, value)?)?;
        }
        Ok(Scan::Continue(()))
    })
}

/// Has the sequence `name` go on after this number.
pub fn set_last_number(tx: &mut dyn Write, name: &str, last: u64) {
    let key = KeyBuf::new(tx.prefix(SEQUENCES)).tail(name.as_bytes()).into_bytes();
    tx.put(key, last.to_be_bytes().to_vec());
}

/// What keys of counters begin with, behind the prefix of the space. No sequence has such a name.
const COUNTER: u8 = 0;

/// The key of the counter of `group` in a space.
pub(crate) fn counter_key(tx: &dyn Read, space: Space, group: &[u8]) -> Vec<u8> {
    let counted = tx.prefix(space);
    KeyBuf::new(tx.prefix(SEQUENCES)).tail(&[COUNTER]).tail(&counted).tail(group).into_bytes()
}

/// The range of the counters of all groups of `space`, and of its total.
pub fn counters_of(tx: &dyn Read, space: Space) -> Span {
    Span::prefix(&counter_key(tx, space, &[]))
}

/// The number of entries of `space` whose keys begin with these parts. Reads one key.
pub fn group_count(tx: &dyn Read, space: Space, parts: &[&str]) -> Result<u64, StoreError> {
    read_number(tx, &counter_key(tx, space, &group_key(parts)))
}

/// Adds `by` to the number of entries of `space` with these parts.
pub fn add_to_group(tx: &mut dyn Write, space: Space, parts: &[&str], by: i64) -> Result<(), StoreError> {
    let key = counter_key(tx, space, &group_key(parts));
    add(tx, key, by)
}

/// Adds `by` to a counter. A counter at zero is not stored.
pub(crate) fn add(tx: &mut dyn Write, key: Vec<u8>, by: i64) -> Result<(), StoreError> {
    if by == 0 {
        return Ok(());
    }
    let before = read_number(tx, &key)?;
    match before.checked_add_signed(by) {
        Some(0) => tx.delete(key),
        Some(after) => tx.put(key, after.to_be_bytes().to_vec()),
        None => {
            return Err(StoreError::Corrupt {
                space: SEQUENCES,
                key: key_text(&key[2..]),
                reason: format!(
                    "a counter at {before} cannot change by {by}: an index and its count disagree"
                ),
            });
        }
    }
    Ok(())
}

/// The value of a counter; zero if it is not stored.
pub(crate) fn read_number(tx: &dyn Read, key: &[u8]) -> Result<u64, StoreError> {
    tx.get(key)?.map_or(Ok(0), |bytes| number_of(key, &bytes))
}

fn number_of(key: &[u8], bytes: &[u8]) -> Result<u64, StoreError> {
    let bytes = bytes.try_into().map_err(|_| StoreError::Corrupt {
        space: SEQUENCES,
        key: key_text(&key[2..]),
        reason: format!("a counter of {} bytes", bytes.len()),
    })?;
    Ok(u64::from_be_bytes(bytes))
}
