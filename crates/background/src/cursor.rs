//! The stored cursor of a subscriber: its position in the outbox, from which delivery resumes after a
//! restart.

use atoll_kernel::{OUTBOX, Read, StoreError, Write, last_number};
use serde::{Deserialize, Serialize};

use crate::slots::Slots;

/// Position of a subscriber in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Cursor {
    /// The last event that is done with.
    pub(crate) place: u64,
    /// How often the next one has failed.
    pub(crate) n_failed: u32,
}

/// The cursors, by subscriber.
pub(crate) const CURSORS: Slots<Cursor> = Slots::new("subscriber.cursor");

/// The cursor of a subscriber. A new one starts after the events that exist already.
pub(crate) fn begin(tx: &mut dyn Write, subscriber: &str) -> Result<Cursor, StoreError> {
    if let Some(cursor) = CURSORS.read(tx, subscriber)? {
        return Ok(cursor);
    }
    let cursor = Cursor { place: last_number(tx, OUTBOX)?, n_failed: 0 };
    CURSORS.write(tx, subscriber, &cursor);
    Ok(cursor)
}

/// The last event that a subscriber is done with; none where it has not begun.
pub fn place_of(tx: &dyn Read, subscriber: &str) -> Result<Option<u64>, StoreError> {
    Ok(CURSORS.read(tx, subscriber)?.map(|cursor| cursor.place))
}
