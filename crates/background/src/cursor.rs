//! The stored cursor of a subscriber: its position in the outbox, from which delivery resumes after a
//! restart.

use atoll_kernel::{OUTBOX, Read, StoreError, Write, last_number};
use serde::{Deserialize, Serialize};

use crate::slots::Slots;

/// Position of a subscriber in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Cursor {
    /// Number of the last event that was delivered or became a dead letter.
    #[serde(rename = "place")]
    pub(crate) position: u64,
    /// Failures of the next event so far.
    pub(crate) n_failed: u32,
}

/// The cursors, by subscriber.
pub(crate) const CURSORS: Slots<Cursor> = Slots::new("subscriber.cursor");

/// The cursor of a subscriber. A new one starts after the events that exist already.
pub(crate) fn begin(tx: &mut dyn Write, subscriber: &str) -> Result<Cursor, StoreError> {
    if let Some(cursor) = CURSORS.read(tx, subscriber)? {
        return Ok(cursor);
    }
    let cursor = Cursor { position: last_number(tx, OUTBOX)?, n_failed: 0 };
    CURSORS.write(tx, subscriber, &cursor);
    Ok(cursor)
}

/// Number of the last event that a subscriber has processed; `None` if it has never been started.
pub fn position_of(tx: &dyn Read, subscriber: &str) -> Result<Option<u64>, StoreError> {
    Ok(CURSORS.read(tx, subscriber)?.map(|cursor| cursor.position))
}
