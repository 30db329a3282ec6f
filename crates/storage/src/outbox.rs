//! The outbox: events, written in the transaction that causes them, in the order of commits.

use atoll_values::{Moment, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Direction, Read, Scan, Slots, Space, Span, StoreError, Write,
    sequence::{last_number, next_number},
    skip_damaged, stored,
};

/// The space of the outbox.
pub const OUTBOX: Space = "outbox";

/// The events by position (sequence number).
pub const EVENTS: Slots<Event> = Slots::of_any(OUTBOX);

stored! {
    /// An event, for subscribers.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Event {
        /// `noun.past`: `order.placed`.
        pub name: String,
        /// Its payload: `{"id": "order_…"}`.
        pub data: Value,
        /// Time of the transaction.
        pub at: Timestamp,
        /// Id of the actor of the transaction.
        pub actor_id: String,
        /// The span of the transaction, as a `traceparent`, if it was recorded.
        #[serde(default)]
        pub trace: Option<String>,
    }
}

/// Emits an event: it is delivered if and only if this transaction commits.
pub fn emit(tx: &mut dyn Write, at: &Moment, name: &str, data: Value) -> Result<(), StoreError> {
    let (name, actor_id) = (name.to_owned(), at.actor().id().to_owned());
    let trace = at.trace().map(|it| it.to_string());
    tx.emit(Event { name, data, at: at.now(), actor_id, trace })
}

/// Appends an event at the next position.
pub(crate) fn append(tx: &mut dyn Write, event: &Event) -> Result<(), StoreError> {
    let position = next_number(tx, OUTBOX)?;
    EVENTS.write(tx, &position.to_be_bytes(), event);
    Ok(())
}

/// Removes an event that all subscribers have processed.
pub fn remove_event(tx: &mut dyn Write, position: u64) {
    EVENTS.remove(tx, &position.to_be_bytes());
}

/// The positions of the events up to `last`, at most `n_max`. The events are not decoded.
pub fn event_positions(tx: &dyn Read, last: u64, n_max: usize) -> Result<Vec<u64>, StoreError> {
    let mut positions = Vec::new();
    tx.scan(&Span::prefix(&tx.prefix(OUTBOX)), Direction::Ascending, &mut |key, _| {
        let position = position_of(key);
        if position > last || positions.len() >= n_max {
            return Ok(Scan::Break(()));
        }
        positions.push(position);
        Ok(Scan::Continue(()))
    })?;
    Ok(positions)
}

fn position_of(key: &[u8]) -> u64 {
    key[2..].try_into().map(u64::from_be_bytes).unwrap_or_default()
}

/// The position of the last event that was written; 0 if there was none.
pub fn last_event(tx: &dyn Read) -> Result<u64, StoreError> {
    last_number(tx, OUTBOX)
}

/// At most `n_max` events after this position (0: from the beginning), each with its position. Damaged ones
/// are left out ([`skip_damaged`]): they cannot be delivered, and would hold up all later ones for ever.
pub fn events_after(tx: &dyn Read, position: u64, n_max: usize) -> Result<Vec<(u64, Event)>, StoreError> {
    let prefix = tx.prefix(OUTBOX);
    let last = EVENTS.key(tx, &position.to_be_bytes());
    let mut events = Vec::new();
    if n_max == 0 {
        return Ok(events);
    }
    tx.scan(
        &Span::prefix(&prefix).beyond(&last, Direction::Ascending),
        Direction::Ascending,
        &mut |key, value| {
            let event = skip_damaged(EVENTS.decode(&key[2..], value))?;
            events.extend(event.map(|event| (position_of(key), event)));
            Ok(if events.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
        },
    )?;
    Ok(events)
}
