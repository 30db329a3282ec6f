//! Admin routes of dead letters, the events on which a subscriber kept failing: `/admin/dead-letters`. An
//! addition of ours to the wire.

use atoll_background::{DEAD_LETTERS, retry as deliver_again};
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Deleted, Params, Reply, Resource},
    routes,
};

use crate::{
    reply::{find, page, remove},
    tables::{NOTHING, ONE, any, date, list},
};

routes! {
    of DEAD_LETTER;
    /// Lists the dead letters: events that a subscriber failed on too often.
    Get "/admin/dead-letters" (Admin, LIST) => index;
    /// Shows a dead letter, with the last error of the subscriber.
    Get "/admin/dead-letters/:id" (Admin, ONE) => retrieve;
    /// Deletes a dead letter. The event is not delivered again.
    Delete "/admin/dead-letters/:id" (Admin, ONE) => delete;
    /// Delivers an event to its subscriber again. If the subscriber takes it, the dead letter is deleted; if
    /// not, the answer shows the new error.
    Post "/admin/dead-letters/:id/retry" (Admin, ONE, NOTHING) => retry: RETRIED;
}

static DEAD_LETTER: Resource = Resource {
    entity: "dead_letter",
    one: "dead_letter",
    many: "dead_letters",
    fields: &[
        "id", "subscriber", "event", "data", "happened_at", "actor_id", "error", "n_failed", "created_at",
        "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const RETRIED: Answer = Answer::OneOf(&[Answer::Deleted, Answer::One(&DEAD_LETTER)]);
const LIST: Params =
    list(&[any("id"), any("subscriber"), any("event"), date("created_at"), date("happened_at")], 20);

fn not_found(id: &str) -> String {
    format!("Dead letter with id: {id} was not found")
}

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&DEAD_LETTER, &call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&DEAD_LETTER, &call, not_found)
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove(call, "dead_letter", |tx, at, id| match DEAD_LETTERS.get(tx, id)? {
        Some(_) => Ok(DEAD_LETTERS.delete(tx, at, id).map(drop)?),
        None => Err(Fault::not_found(not_found(id))),
    })
    .await
}

/// Calls the subscriber again. The dead letter is deleted if the subscriber succeeds, and shows the new error
/// if not.
async fn retry(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    if !call.app.is_repeat() {
        find(&DEAD_LETTER, &call, not_found)?;
    }
    drop(call.view);
    if deliver_again(&call.app, call.pass.actor.clone(), &id).await? {
        return Deleted::new(id, "dead_letter").reply();
    }
    // A view of the state after the retry.
    call.view = call.app.view();
    find(&DEAD_LETTER, &call, not_found)
}
