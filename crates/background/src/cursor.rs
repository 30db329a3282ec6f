//! Where a subscriber stands among the events: kept, so that a restart neither loses nor repeats much.

use atoll_kernel::{KeyBuf, OUTBOX, Read, StoreError, Write, decode, encode, last_number};
use serde::{Deserialize, Serialize};

use crate::CURSORS;

/// A subscriber's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Cursor {
    /// The last event that is done with.
    pub(crate) place: u64,
    /// How often the next one has failed.
    pub(crate) n_failed: u32,
}

fn key(tx: &dyn Read, subscriber: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(CURSORS)).tail(subscriber.as_bytes()).into_bytes()
}

/// Where the subscriber stands, if it was here before.
pub(crate) fn read(tx: &dyn Read, subscriber: &str) -> Result<Option<Cursor>, StoreError> {
    let bytes = tx.get(&key(tx, subscriber))?;
    bytes.map(|bytes| decode(CURSORS, subscriber, &bytes)).transpose()
}

/// Notes where the subscriber stands.
pub(crate) fn write(tx: &mut dyn Write, subscriber: &str, cursor: Cursor) {
    let key = key(tx, subscriber);
    tx.put(key, encode(&cursor));
}

/// Where the subscriber stands; one that is new begins behind the events that there were before it.
pub(crate) fn begin(tx: &mut dyn Write, subscriber: &str) -> Result<Cursor, StoreError> {
    if let Some(cursor) = read(tx, subscriber)? {
        return Ok(cursor);
    }
    let cursor = Cursor { place: last_number(tx, OUTBOX)?, n_failed: 0 };
    write(tx, subscriber, cursor);
    Ok(cursor)
}

/// The last event that a subscriber is done with; none where it has not begun.
pub fn place_of(tx: &dyn Read, subscriber: &str) -> Result<Option<u64>, StoreError> {
    Ok(read(tx, subscriber)?.map(|cursor| cursor.place))
}
