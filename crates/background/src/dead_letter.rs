//! Dead letters: events that a subscriber failed on too often, kept until an admin retries or deletes them.

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Read, Timestamp, Write, entity, flow::Local, jobs::Event, serde_json::Value,
};
use serde::{Deserialize, Serialize};

use crate::{BY_SUBSCRIBER, DEAD_LETTERS, dispatcher::call};

entity! {
    /// An event on which a subscriber failed too often.
    pub struct DeadLetter = "dead_letter" / "dead_letters", "deadl" {
        /// Name of the subscriber.
        pub subscriber: String,
        /// The name of the event.
        pub event: String,
        /// Data of the event.
        pub data: Value,
        /// Time of the event.
        pub happened_at: Timestamp,
        /// Id of the actor of the event.
        pub actor_id: String,
        /// The last error of the subscriber.
        pub error: String,
        /// Number of failed deliveries.
        pub n_failed: u32,
    }
    search [subscriber, event, error]
}

impl DeadLetter {
    pub(crate) fn of(subscriber: &str, event: &Event, error: &str, n_failed: u32) -> DeadLetter {
        DeadLetter {
            subscriber: subscriber.to_owned(),
            event: event.name.clone(),
            data: event.data.clone(),
            happened_at: event.at,
            actor_id: event.actor_id.clone(),
            error: error.to_owned(),
            n_failed,
            ..DeadLetter::default()
        }
    }

    fn event(&self) -> Event {
        Event {
            name: self.event.clone(),
            data: self.data.clone(),
            at: self.happened_at,
            actor_id: self.actor_id.clone(),
            trace: None,
        }
    }
}

/// Calls the subscriber again: a success deletes the dead letter, a failure updates its error. Returns
/// whether it succeeded. A repeated request with the same `Idempotency-Key` gets the earlier result, without
/// another call. Errors: 507 while the disk has no room, before the subscriber is called.
pub async fn retry(ctx: &Ctx, actor: Actor, id: &str) -> Result<bool, Fault> {
    let taken = match ctx.is_repeat() {
        true => Ok(()),
        false => {
            ctx.room().check()?;
            // No view is held while the subscriber takes its time.
            let letter = DEAD_LETTERS.retrieve(&ctx.view(), id)?;
            deliver(ctx, letter).await
        }
    };
    let id = id.to_owned();
    let write = move |local: &mut Local<'_>| {
        settle(local.tx, local.at, &id, &taken)?;
        Ok(taken.is_ok())
    };
    Ok(ctx.finishing().local_once(actor, write, |is_taken| *is_taken, |_, is_taken| Ok(is_taken)).await?.0)
}

/// Some dead letters.
#[derive(Clone, Debug)]
pub enum Letters {
    /// Those with these ids.
    Ids(Vec<String>),
    /// Those of a subscriber.
    Of(String),
}

impl Letters {
    /// Their ids, the oldest first, at most `n_max`. Errors: 404 for an id that is unknown.
    fn ids(&self, view: &dyn Read, n_max: usize) -> Result<Vec<String>, Fault> {
        let mut ids = match self {
            Letters::Ids(ids) => {
                for id in ids {
                    DEAD_LETTERS.retrieve(view, id)?;
                }
                ids.clone()
            }
            // In the order of their ids, which is that of time.
            Letters::Of(subscriber) => BY_SUBSCRIBER.next_ids(view, &[subscriber], None, n_max)?,
        };
        ids.sort_unstable();
        ids.dedup();
        ids.truncate(n_max);
        Ok(ids)
    }
}

/// The result of delivering dead letters again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// Those that their subscribers took; they are deleted.
    pub n_taken: usize,
    /// Those that failed again; they have the new error.
    pub n_failed: usize,
}

/// As `retry`, for at most `n_max` dead letters, one after the other, the oldest first. Each has a commit of
/// its own after its delivery, so that whatever happens to the next one, what was taken is not delivered
/// again.
pub async fn retry_all(ctx: &Ctx, actor: Actor, letters: &Letters, n_max: usize) -> Result<Retried, Fault> {
    let mut retried = Retried::default();
    if !ctx.is_repeat() {
        ctx.room().check()?;
        // No view is held while subscribers take their time.
        let ids = letters.ids(&ctx.view(), n_max)?;
        for id in ids {
            // Another admin may have deleted it meanwhile.
            let letter = DEAD_LETTERS.get(&ctx.view(), &id)?;
            let Some(letter) = letter else { continue };
            let taken = deliver(ctx, letter).await;
            match taken {
                Ok(()) => retried.n_taken += 1,
                Err(_) => retried.n_failed += 1,
            }
            let write = move |tx: &mut dyn Write, at: &Moment| settle(tx, at, &id, &taken);
            ctx.finishing().beside().write(actor.clone(), write).await?;
        }
    }
    let write = move |_: &mut Local<'_>| Ok(retried);
    Ok(ctx.finishing().local_once(actor, write, |it| *it, |_, it| Ok(it)).await?.0)
}

/// Deletes at most `n_max` dead letters, the oldest first; returns how many.
pub fn delete_all(local: &mut Local<'_>, letters: &Letters, n_max: usize) -> Result<usize, Fault> {
    let ids = letters.ids(local.tx, n_max)?;
    ids.iter().try_for_each(|id| DEAD_LETTERS.delete(local.tx, local.at, id).map(drop))?;
    Ok(ids.len())
}

/// Deletes a dead letter that was taken, or notes the new error; nothing if it was deleted meanwhile.
fn settle(tx: &mut dyn Write, at: &Moment, id: &str, taken: &Result<(), String>) -> Result<(), Fault> {
    if DEAD_LETTERS.get(tx, id)?.is_none() {
        return Ok(());
    }
    match taken {
        Ok(()) => DEAD_LETTERS.delete(tx, at, id).map(drop)?,
        Err(error) => {
            let note = |it: &mut DeadLetter| {
                it.error = error.clone();
                it.n_failed += 1;
            };
            DEAD_LETTERS.update(tx, at, id, note).map(drop)?;
        }
    }
    Ok(())
}

/// Delivers the event to its subscriber. Errors: those of the subscriber, and that there is none any more.
async fn deliver(ctx: &Ctx, letter: DeadLetter) -> Result<(), String> {
    let subscriber = ctx.registry().subscribers.iter().find(|it| it.name == letter.subscriber);
    let Some(subscriber) = subscriber else {
        return Err(format!("Subscriber {} is not linked into this program", letter.subscriber));
    };
    // The subscriber's writes do not belong to the request with its `Idempotency-Key`.
    call(&ctx.beside(), subscriber, letter.event()).await.map_err(|it| it.why)
}
