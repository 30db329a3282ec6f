//! The dispatcher: one task per subscriber, so that one that fails or is slow holds up nobody else.

use std::{sync::Arc, time::Duration};

use atoll_kernel::{Actor, Ctx, Event, Fault, StoreError, Subscriber, View, events_after};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    DEAD_LETTERS, DeadLetter,
    cursor::{self, Cursor},
    prune,
};

/// Events that are read at a time.
const N_EVENTS_MAX: usize = 64;

/// How patient the dispatcher is with a subscriber that fails.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long it waits after the first failure; twice as long after each further one.
    pub first: Duration,
    /// The longest that it waits.
    pub longest: Duration,
    /// Failures after which an event is put aside, and the next one is delivered.
    pub n_failures_max: u32,
    /// How often events that everybody has seen are looked for, to be removed.
    pub prune_every: Duration,
}

/// Ten tries within about ten minutes: a service on the outside may be restarted in the meantime.
impl Default for Pace {
    fn default() -> Self {
        Pace {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(120),
            n_failures_max: 10,
            prune_every: Duration::from_secs(3600),
        }
    }
}

impl Pace {
    fn pause(&self, n_failed: u32) -> Duration {
        let factor = 1_u32.checked_shl(n_failed.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// What runs in the background, until it is stopped.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Background {
    /// Lets the subscribers that are running come to their end, and starts nothing new.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Starts to deliver events.
pub async fn start(ctx: &Ctx, pace: Pace) -> Result<Background, Fault> {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for subscriber in ctx.registry().subscribers.iter().copied() {
        let begin = move |tx: &mut dyn atoll_kernel::Write, _: &atoll_kernel::Moment| {
            Ok(cursor::begin(tx, subscriber.name)?)
        };
        let (cursor, _) = ctx.write(Actor::System, begin).await?;
        let delivery = Delivery { ctx: ctx.clone(), subscriber, cursor, pace, stopped: stopped.clone() };
        tasks.spawn(delivery.run());
    }
    tasks.spawn(prune::run(ctx.clone(), pace.prune_every, stopped));
    Ok(Background { stop, tasks })
}

/// Calls a subscriber; a panic is an error like others.
pub(crate) async fn call(ctx: &Ctx, subscriber: &Subscriber, event: Event) -> Result<(), String> {
    match tokio::spawn((subscriber.run)(ctx.clone(), event)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(panic) => Err(panic.to_string()),
    }
}

/// The events on their way to one subscriber.
struct Delivery {
    ctx: Ctx,
    subscriber: &'static Subscriber,
    cursor: Cursor,
    pace: Pace,
    stopped: watch::Receiver<bool>,
}

impl Delivery {
    async fn run(mut self) {
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
            cursor::write(tx, name, cursor);
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
