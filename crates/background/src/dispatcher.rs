//! The dispatcher: delivers committed events to subscribers at least once, in order, with retry and backoff.
//! Each subscriber has a task of its own, so that one that fails or is slow delays no other.

use std::time::Duration;

use atoll_kernel::{
    Actor, Ctx, Fault, StoreError, Timestamp,
    http::{OpenSpan, SpanKind},
    jobs::{Event, Subscriber, events_after, subtask},
};
use tokio::sync::watch;

use crate::{
    DEAD_LETTERS, DeadLetter, Failed,
    cursor::{self, CURSORS, Cursor},
    outcome,
    run::{self, Pace, room},
    why,
};

/// Events per batch.
const N_EVENTS_MAX: usize = 64;

/// Calls a subscriber, in a task of its own.
pub(crate) async fn call(ctx: &Ctx, subscriber: &Subscriber, event: Event) -> Result<(), Failed> {
    let (run, token) = (subscriber.run, ctx.token_of(&event));
    let mut span = ctx.begin_trace(subscriber.name, SpanKind::Consumer, event.trace.as_deref());
    if let Some(span) = &mut span {
        span.edit().attributes.push(("atoll.event", event.name.as_str().into()));
    }
    let ctx = ctx.in_span(span.as_ref());
    let called = outcome(subtask(async move { run(ctx, event).await }).await, token.as_deref());
    OpenSpan::note(&mut span, &called);
    called
}

/// The delivery loop of one subscriber.
pub(crate) struct Delivery {
    ctx: Ctx,
    subscriber: &'static Subscriber,
    cursor: Cursor,
    pace: Pace,
    stopped: watch::Receiver<bool>,
}

impl Delivery {
    pub(crate) async fn begin(
        ctx: &Ctx,
        subscriber: &'static Subscriber,
        pace: Pace,
        stopped: watch::Receiver<bool>,
    ) -> Result<Delivery, Fault> {
        let begin = move |tx: &mut dyn atoll_kernel::Write, _: &atoll_kernel::Moment| {
            Ok(cursor::begin(tx, subscriber.name)?)
        };
        let (cursor, view) = ctx.finishing().write(Actor::System, begin).await?;
        // Retention keeps what a subscriber has not seen, as long as it is linked in and on.
        let n_lost = cursor::n_lost(&view, cursor.position)?;
        if n_lost > 0 {
            tracing::error!(
                subscriber = subscriber.name,
                n_lost,
                "events were removed while this subscriber was away; it never gets them"
            );
        }
        Ok(Delivery { ctx: ctx.clone(), subscriber, cursor, pace, stopped })
    }

    pub(crate) async fn run(mut self) {
        let mut commits = self.ctx.store().commits();
        while !*self.stopped.borrow() {
            commits.mark_unchanged();
            match self.deliver().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(
                        subscriber = self.subscriber.name,
                        error = why(&error),
                        "events cannot be read"
                    );
                    self.sleep(self.ctx.now(), self.pace.longest).await;
                    continue;
                }
            }
            tokio::select! {
                changed = commits.changed() => if changed.is_err() { return },
                _ = self.stopped.wait_for(|it| *it) => return,
            }
        }
    }

    /// Delivers a batch of waiting events. Returns whether there may be more.
    async fn deliver(&mut self) -> Result<bool, StoreError> {
        // The view is dropped here: held during retries, it would keep the store from reusing space.
        let events = events_after(&self.ctx.view(), self.cursor.position, N_EVENTS_MAX)?;
        let Some((last, _)) = events.last() else { return Ok(false) };
        let last = *last;
        for (position, event) in events {
            if self.subscriber.follows(&event.name) && !self.deliver_one(position, event).await {
                return Ok(false);
            }
        }
        if self.cursor.position < last {
            // The rest are events that this subscriber does not follow: one write skips them.
            return Ok(self.advance(Cursor { position: last, n_failed: 0 }, None).await);
        }
        Ok(true)
    }

    /// Calls the subscriber with retries until it succeeds, or until the event becomes a dead letter: at once
    /// where another attempt is in vain. While the disk has no room it waits: the subscriber could not write,
    /// and is not to blame for that. Returns whether to continue.
    async fn deliver_one(&mut self, position: u64, event: Event) -> bool {
        loop {
            if !room(&self.ctx, &mut self.stopped).await {
                return false;
            }
            let Err(Failed { why: error, is_for_good }) =
                call(&self.ctx, self.subscriber, event.clone()).await
            else {
                return self.advance(Cursor { position, n_failed: 0 }, None).await;
            };
            if !self.ctx.room().is_there() {
                continue;
            }
            let (name, n_failed) = (self.subscriber.name, self.cursor.n_failed + 1);
            let failed_at = self.ctx.now();
            if is_for_good || n_failed >= self.pace.n_failures_max {
                tracing::error!(
                    subscriber = name,
                    event = event.name,
                    error,
                    n_failed,
                    "an event became a dead letter"
                );
                let letter = DeadLetter::of(name, &event, &error, n_failed);
                return self.advance(Cursor { position, n_failed: 0 }, Some(letter)).await;
            }
            tracing::warn!(subscriber = name, event = event.name, error, n_failed, "a subscriber failed");
            let continues = self.advance(Cursor { n_failed, ..self.cursor }, None).await
                && self.sleep(failed_at, self.pace.pause(n_failed)).await;
            if !continues {
                return false;
            }
        }
    }

    /// Writes the cursor and a dead letter in one transaction. Returns whether to continue. A failed write is
    /// retried, because a later cursor would lose the dead letter. If it is never written, the event is
    /// delivered again after a restart: delivery is at least once.
    async fn advance(&mut self, cursor: Cursor, letter: Option<DeadLetter>) -> bool {
        let name = self.subscriber.name;
        loop {
            let letter = letter.clone();
            let write = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
                // Another host on this store may have advanced further.
                let further =
                    CURSORS.read(tx, name.as_bytes())?.is_some_and(|it| it.position > cursor.position);
                if !further {
                    CURSORS.write(tx, name.as_bytes(), &cursor);
                }
                if let Some(letter) = letter {
                    DEAD_LETTERS.create(tx, at, letter)?;
                }
                Ok(())
            };
            match self.ctx.finishing().write(Actor::System, write).await {
                Ok(_) => {
                    self.cursor = cursor;
                    return !*self.stopped.borrow();
                }
                Err(error) => {
                    tracing::error!(
                        subscriber = name,
                        error = why(&error),
                        "the cursor of a subscriber was not written"
                    );
                }
            }
            if !self.sleep(self.ctx.now(), self.pace.longest).await {
                return false;
            }
        }
    }

    /// Sleeps until `pause` after `since`. Returns whether to continue.
    async fn sleep(&mut self, since: Timestamp, pause: Duration) -> bool {
        run::sleep(&self.ctx, since, pause, &mut self.stopped).await
    }
}
