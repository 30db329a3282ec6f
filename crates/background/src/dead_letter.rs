//! Dead letters: events that a subscriber failed on too often, kept until an admin retries or deletes them.

use atoll_kernel::{Actor, Ctx, Fault, Timestamp, entity, flow::Local, jobs::Event, serde_json::Value};

use crate::{DEAD_LETTERS, dispatcher::call};

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
        }
    }
}

/// Calls the subscriber again: a success deletes the dead letter, a failure updates its error. Returns
/// whether it succeeded. A repeated request with the same `Idempotency-Key` gets the earlier result, without
/// another call.
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

/// Delivers the event to its subscriber; the inner result is that of the subscriber.
async fn deliver(ctx: &Ctx, id: &str) -> Result<Result<(), String>, Fault> {
    let letter = DEAD_LETTERS.retrieve(&ctx.view(), id)?;
    let subscriber = ctx.registry().subscribers.iter().find(|it| it.name == letter.subscriber);
    let Some(subscriber) = subscriber else {
        let name = letter.subscriber;
        return Err(Fault::not_allowed(format!("Subscriber {name} is not linked into this program")));
    };
    // The subscriber's writes do not belong to the request with its `Idempotency-Key`.
    Ok(call(&ctx.beside(), subscriber, letter.event()).await)
}
