//! Listening to events, for admins who look on: the last events of the outbox, and those that happen.
//!
//! A listener has no queue in memory: it says after which event it goes on, and gets what the outbox has
//! since. So one that is slow costs nothing, and what is beyond its backlog is left out and counted.

use std::sync::Arc;

use atoll_kernel::{
    Ctx, Fault, Read, StoreError,
    jobs::{Event, events_after, last_event},
    limits::{EVENT_BACKLOG_MAX, EVENT_LISTENERS_MAX, EVENT_WAIT},
};
use tokio::sync::Semaphore;

/// The `Retry-After` of a listener that is refused, in seconds.
const RETRY_AFTER_S: u64 = 30;

/// A place for each listener.
struct Listeners(Arc<Semaphore>);

impl Default for Listeners {
    fn default() -> Self {
        Listeners(Arc::new(Semaphore::new(EVENT_LISTENERS_MAX)))
    }
}

/// Events, as a listener gets them.
#[derive(Debug)]
pub struct Heard {
    /// The events, the oldest first, each with its position.
    pub events: Vec<(u64, Event)>,
    /// Events before them that are beyond the backlog, and left out.
    pub n_dropped: u64,
    /// The position after which the listener goes on.
    pub last: u64,
}

impl Heard {
    /// The newest events after this position, as many as the backlog holds.
    pub fn after(tx: &dyn Read, position: u64) -> Result<Heard, StoreError> {
        let last = last_event(tx)?;
        let position = position.min(last);
        let start = position.max(last.saturating_sub(EVENT_BACKLOG_MAX as u64));
        Ok(Heard { events: events_after(tx, start, EVENT_BACKLOG_MAX)?, n_dropped: start - position, last })
    }
}

/// Waits for events after this position. Empty-handed after a while ([`EVENT_WAIT`]), and when the process
/// shuts down. Errors: 503 while too many listen.
pub async fn listen(ctx: &Ctx, position: u64) -> Result<Heard, Fault> {
    // It may wake up often, so its reads are not those of one request.
    let ctx = ctx.beside();
    let places = ctx.memory::<Listeners>().0.clone();
    let too_many = |_| {
        let fault = Fault::busy("Too many listen to events; try again later", RETRY_AFTER_S);
        fault.at_limit("event_listeners_max")
    };
    let _place = places.try_acquire_owned().map_err(too_many)?;
    let (mut commits, begun) = (ctx.store().commits(), ctx.now());
    // It is ahead of the last one if the data is an older copy.
    let position = position.min(last_event(&ctx.view())?);
    loop {
        commits.mark_unchanged();
        let heard = Heard::after(&ctx.view(), position)?;
        if !heard.events.is_empty() {
            return Ok(heard);
        }
        tokio::select! {
            changed = commits.changed() => if changed.is_err() { return Ok(heard) },
            () = ctx.sleep_until(begun, begun.plus(EVENT_WAIT)) => return Ok(heard),
            () = ctx.cancelled() => return Ok(heard),
        }
    }
}
