//! The dispatcher: one task per subscriber, so that one that fails or is slow holds up nobody else.

use std::sync::Arc;

use atoll_kernel::{Actor, Ctx, Event, Fault, StoreError, Subscriber, View, events_after};
use tokio::sync::watch;

use crate::{
    DEAD_LETTERS, DeadLetter,
    cursor::{self, CURSORS, Cursor},
    run::Pace,
};

/// Events that are read at a time.
const N_EVENTS_MAX: usize = 64;

/// Calls a subscriber; a panic is an error like others.
pub(crate) async fn call(ctx: &Ctx, subscriber: &Subscriber, event: Event) -> Result<(), String> {
    match tokio::spawn((subscriber.run)(ctx.clone(), event)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(panic) => Err(panic.to_string()),
    }
}

/// The events on their way to one subscriber.
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
        let (cursor, _) = ctx.write(Actor::System, begin).await?;
        Ok(Delivery { ctx: ctx.clone(), subscriber, cursor, pace, stopped })
    }

    pub(crate) async fn run(mut self) {
        let mut commits = self.ctx.store().commits();
        while !*self.stopped.borrow() {
            commits.mark_unchanged();
            match self.deliver(&self.ctx.view()).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(subscriber = self.subscriber.name, %error, "events cannot be read")
                }
            }
            tokio::select! {
                changed = commits.changed() => if changed.is_err() { return },
                _ = self.stopped.wait_for(|it| *it) => return,
            }
        }
    }

    /// Delivers what is waiting; is there perhaps more?
    async fn deliver(&mut self, view: &View) -> Result<bool, StoreError> {
        let events = events_after(view, self.cursor.place, N_EVENTS_MAX)?;
        let Some((last, _)) = events.last() else { return Ok(false) };
        let last = *last;
        for (place, event) in events {
            if self.subscriber.follows(&event.name) && !self.deliver_one(place, event).await {
                return Ok(false);
            }
        }
        if self.cursor.place < last {
            // Events of others, passed by together.
            self.note(Cursor { place: last, n_failed: 0 }, None).await;
        }
        Ok(true)
    }

    /// Calls the subscriber until it takes the event, or until the event is put aside. Says whether to go on.
    async fn deliver_one(&mut self, place: u64, event: Event) -> bool {
        let event = Arc::new(event);
        loop {
            let Err(error) = call(&self.ctx, self.subscriber, (*event).clone()).await else {
                self.note(Cursor { place, n_failed: 0 }, None).await;
                return !*self.stopped.borrow();
            };
            let (name, n_failed) = (self.subscriber.name, self.cursor.n_failed + 1);
            if n_failed >= self.pace.n_failures_max {
                tracing::error!(
                    subscriber = name,
                    event = event.name,
                    error,
                    n_failed,
                    "an event was put aside"
                );
                let letter = DeadLetter::of(name, &event, &error, n_failed);
                self.note(Cursor { place, n_failed: 0 }, Some(letter)).await;
                return !*self.stopped.borrow();
            }
            tracing::warn!(subscriber = name, event = event.name, error, n_failed, "a subscriber failed");
            self.note(Cursor { n_failed, ..self.cursor }, None).await;
            tokio::select! {
                () = tokio::time::sleep(self.pace.pause(n_failed)) => {}
                _ = self.stopped.wait_for(|it| *it) => return false,
            }
        }
    }

    /// Notes where the subscriber stands, and what was put aside, in one transaction. What is not written now is
    /// delivered again after a restart, as it may be.
    async fn note(&mut self, cursor: Cursor, letter: Option<DeadLetter>) {
        let name = self.subscriber.name;
        let write = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
            CURSORS.write(tx, name, &cursor);
            if let Some(letter) = &letter {
                DEAD_LETTERS.create(tx, at, letter.clone())?;
            }
            Ok(())
        };
        self.cursor = cursor;
        if let Err(error) = self.ctx.write(Actor::System, write).await {
            tracing::error!(subscriber = name, %error, "a subscriber's place was not written");
        }
    }
}
