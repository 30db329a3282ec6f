//! Events, written in the transaction that causes them.

use atoll_values::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Direction, Read, Scan, Slots, Space, Span, StoreError, Write, sequence::next_number, stored};

/// The space of the outbox, in the order of commits.
pub const OUTBOX: Space = "outbox";

/// The events by their numbers.
pub const EVENTS: Slots<Event> = Slots::new(OUTBOX);

stored! {
    /// Something that happened, for whoever subscribes to it.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Event {
        /// `noun.past`: `order.placed`.
        pub name: String,
        /// What it happened to: `{"id": "order_…"}`.
        pub data: Value,
        /// When.
        pub at: Timestamp,
        /// Who asked.
        pub actor_id: String,
    }
}

/// Records an event in this transaction: it happens if the transaction commits, and not otherwise.
pub fn emit(tx: &mut dyn Write, at: &Moment, name: &str, data: Value) -> Result<(), StoreError> {
    tx.emit(Event { name: name.to_owned(), data, at: at.now(), actor_id: at.actor().id().to_owned() })
}

/// Writes an event behind the last one.
pub(crate) fn append(tx: &mut dyn Write, event: &Event) -> Result<(), StoreError> {
    let place = next_number(tx, OUTBOX)?;
    EVENTS.write(tx, &place.to_be_bytes(), event);
    Ok(())
}

/// Removes an event that nobody wants any more.
pub fn remove_event(tx: &mut dyn Write, place: u64) {
    let key = EVENTS.key(tx, &place.to_be_bytes());
    tx.delete(key);
}

/// The events behind `place` (0 is the beginning), at most `n_max`, each with its place.
pub fn events_after(tx: &dyn Read, place: u64, n_max: usize) -> Result<Vec<(u64, Event)>, StoreError> {
    let prefix = tx.prefix(OUTBOX);
    let last = EVENTS.key(tx, &place.to_be_bytes());
    let mut events = Vec::new();
    if n_max == 0 {
        return Ok(events);
    }
    tx.scan(
        &Span::prefix(&prefix).beyond(&last, Direction::Ascending),
        Direction::Ascending,
        &mut |key, value| {
            let place = key[2..].try_into().map(u64::from_be_bytes).unwrap_or_default();
            events.push((place, EVENTS.decode(&key[2..], value)?));
            Ok(if events.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
        },
    )?;
    Ok(events)
}
