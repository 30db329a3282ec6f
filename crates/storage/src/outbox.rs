//! Events, written in the transaction that causes them.

use atoll_values::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Direction, KeyBuf, Read, Scan, Space, Span, StoreError, Write, entity, sequence::next_number};

/// The space of the outbox, in the order of commits.
pub const OUTBOX: Space = "outbox";

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

/// Records an event in this transaction: it happens if the transaction commits, and not otherwise.
pub fn emit(tx: &mut dyn Write, at: &Moment, name: &str, data: Value) -> Result<(), StoreError> {
    tx.emit(Event { name: name.to_owned(), data, at: at.now(), actor_id: at.actor().id().to_owned() })
}

/// Writes an event behind the last one.
pub(crate) fn append(tx: &mut dyn Write, event: &Event) -> Result<(), StoreError> {
    let place = next_number(tx, OUTBOX)?;
    let key = KeyBuf::new(tx.prefix(OUTBOX)).tail(&place.to_be_bytes()).into_bytes();
    tx.put(key, entity::encode(event));
    Ok(())
}

/// Removes an event that nobody wants any more.
pub fn remove_event(tx: &mut dyn Write, place: u64) {
    let key = KeyBuf::new(tx.prefix(OUTBOX)).tail(&place.to_be_bytes()).into_bytes();
    tx.delete(key);
}

/// The events behind `place` (0 is the beginning), at most `n_max`, each with its place.
pub fn events_after(tx: &dyn Read, place: u64, n_max: usize) -> Result<Vec<(u64, Event)>, StoreError> {
    let prefix = tx.prefix(OUTBOX);
    let last = KeyBuf::new(prefix).tail(&place.to_be_bytes()).into_bytes();
    let mut events = Vec::new();
    if n_max == 0 {
        return Ok(events);
    }
    tx.scan(
        &Span::prefix(&prefix).beyond(&last, Direction::Ascending),
        Direction::Ascending,
        &mut |key, value| {
            let place = key[2..].try_into().map(u64::from_be_bytes).unwrap_or_default();
            events.push((place, entity::decode(OUTBOX, &place.to_string(), value)?));
            Ok(if events.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
        },
    )?;
    Ok(events)
}
