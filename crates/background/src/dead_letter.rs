//! Dead letters: events that a subscriber failed on too often, kept until an admin retries or deletes them.

use atoll_kernel::{Actor, Ctx, Event, Fault, Local, Timestamp, entity, serde_json::Value};

use crate::{DEAD_LETTERS, dispatcher::call};

entity! {
    /// An event that a subscriber could not take.
    pub struct DeadLetter = "dead_letter" / "dead_letters", "deadl" {
        /// Who could not take it.
        pub subscriber: String,
        /// The name of the event.
        pub event: String,
        /// What it happened to.
        pub data: Value,
        /// When it happened.
        pub happened_at: Timestamp,
        /// Who made it happen.
        pub actor_id: String,
        /// Why it was not taken, the last time.
        pub error: String,
        /// How often it was tried.
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
        }
    }
}

/// Calls the subscriber again. When it takes the event the letter is gone; when not, its error is the new one.
/// Says whether it was taken. A request that comes again with its key is told so, and the subscriber is not called.
pub async fn retry(ctx: &Ctx, actor: Actor, id: &str) -> Result<bool, Fault> {
    let taken = match ctx.is_repeat() {
        true => Ok(()),
        false => deliver(ctx, id).await?,
    };
    let id = id.to_owned();
    let write = move |local: &mut Local<'_>| {
        match &taken {
            Ok(()) => DEAD_LETTERS.delete(local.tx, local.at, &id).map(drop)?,
            Err(error) => {
                DEAD_LETTERS
                    .update(local.tx, local.at, &id, |it: &mut DeadLetter| {
                        it.error = error.clone();
                        it.n_failed += 1;
                    })
                    .map(drop)?;
            }
        }
        Ok(taken.is_ok())
    };
    Ok(ctx.local_once(actor, write, |is_taken| *is_taken, |_, is_taken| Ok(is_taken)).await?.0)
}

/// Hands the event to its subscriber; answers what that says.
async fn deliver(ctx: &Ctx, id: &str) -> Result<Result<(), String>, Fault> {
    let letter = DEAD_LETTERS.retrieve(&ctx.view(), id)?;
    let subscriber = ctx.registry().subscribers.iter().find(|it| it.name == letter.subscriber);
    let Some(subscriber) = subscriber else {
        let name = letter.subscriber;
        return Err(Fault::not_allowed(format!("Subscriber {name} is not linked into this program")));
    };
    // What the subscriber writes is its own.
    Ok(call(&ctx.beside(), subscriber, letter.event()).await)
}
