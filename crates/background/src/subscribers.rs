//! The list of subscribers for admins: what each follows, and how far behind the events it is.

use atoll_kernel::{
    Ctx, Fault, Timestamp,
    jobs::{events_after, last_event},
};
use serde::Serialize;

use crate::{BY_SUBSCRIBER, cursor::CURSORS};

/// A subscriber and its place in the outbox.
#[derive(Debug, Serialize)]
pub struct SubscriberStatus {
    /// Its name.
    pub name: &'static str,
    /// The events that it follows; `*` is all of them.
    pub events: &'static [&'static str],
    /// Events that it has not come to, whether or not it follows them; null if it has never been started.
    pub n_waiting: Option<u64>,
    /// The time of the oldest of them.
    pub oldest_waiting_at: Option<Timestamp>,
    /// Failures of the next event so far.
    pub n_failed: u32,
    /// Events that it failed on too often.
    pub n_dead_letters: u64,
}

/// All subscribers, by name.
pub fn subscribers(ctx: &Ctx) -> Result<Vec<SubscriberStatus>, Fault> {
    let view = ctx.view();
    let last = last_event(&view)?;
    let mut subscribers = Vec::new();
    for subscriber in &ctx.registry().subscribers {
        let cursor = CURSORS.read(&view, subscriber.name.as_bytes())?;
        let next = match cursor {
            Some(cursor) => events_after(&view, cursor.position, 1)?.pop(),
            None => None,
        };
        subscribers.push(SubscriberStatus {
            name: subscriber.name,
            events: subscriber.events,
            n_waiting: cursor.map(|it| last.saturating_sub(it.position)),
            oldest_waiting_at: next.map(|(_, event)| event.at),
            n_failed: cursor.map_or(0, |it| it.n_failed),
            n_dead_letters: BY_SUBSCRIBER.count(&view, &[subscriber.name])?,
        });
    }
    Ok(subscribers)
}
