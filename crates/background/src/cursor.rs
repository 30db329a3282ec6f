//! The stored cursor of a subscriber: its position in the outbox, from which delivery resumes after a
//! restart.

use atoll_kernel::{Read, StoreError, Write, data::Slots, jobs::last_event, stored};
use atoll_storage::event_positions;
use serde::{Deserialize, Serialize};

stored! {
    /// Position of a subscriber in the outbox.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct Cursor {
        /// Number of the last event that was delivered or became a dead letter.
        pub(crate) position as "place": u64,
        /// Failures of the next event so far.
        pub(crate) n_failed: u32,
    }
}

/// The cursors, by subscriber.
pub(crate) const CURSORS: Slots<Cursor> = Slots::new("subscriber.cursor");

/// The cursor of a subscriber. A new one starts after the events that exist already.
pub(crate) fn begin(tx: &mut dyn Write, subscriber: &str) -> Result<Cursor, StoreError> {
    if let Some(cursor) = CURSORS.read(tx, subscriber.as_bytes())? {
        return Ok(cursor);
    }
    let cursor = Cursor { position: last_event(tx)?, n_failed: 0 };
    CURSORS.write(tx, subscriber.as_bytes(), &cursor);
    Ok(cursor)
}

/// The number of events behind this position that were removed, so that nobody can deliver them any more.
pub(crate) fn n_lost(tx: &dyn Read, position: u64) -> Result<u64, StoreError> {
    let first = event_positions(tx, u64::MAX, 1)?.first().copied();
    let last_removed = match first {
        Some(first) => first.saturating_sub(1),
        None => last_event(tx)?,
    };
    Ok(last_removed.saturating_sub(position))
}

/// Number of the last event that a subscriber has processed; `None` if it has never been started.
pub fn position_of(tx: &dyn Read, subscriber: &str) -> Result<Option<u64>, StoreError> {
    Ok(CURSORS.read(tx, subscriber.as_bytes())?.map(|cursor| cursor.position))
}
