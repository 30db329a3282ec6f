//! Admin routes of dead letters, the events on which a subscriber kept failing: `/admin/dead-letters`. An
//! addition of ours to the wire.

use atoll_background::{DEAD_LETTERS, Letters, delete_all, retry as deliver_again, retry_all};
use atoll_kernel::{
    Fault,
    flow::Local,
    http::{Answer, Body, Call, Deleted, Params, Part, Reply, Resource, Type, optional},
    limits::{DEAD_LETTERS_DELETED_MAX, DEAD_LETTERS_RETRIED_MAX},
    routes,
    serde::Deserialize,
    serde_json::json,
};

use crate::{
    reply::{find, page, remove},
    tables::{IDS, NOTHING, ONE, any, date, list},
};

routes! {
    of DEAD_LETTER;
    /// Lists the dead letters: events that a subscriber failed on too often.
    Get "/admin/dead-letters" (Admin, LIST) => index;
    /// Delivers events to their subscribers again, those of one subscriber or with these ids, the oldest
    /// first. One request delivers up to 50, one after the other; `n_left` says how many there are now.
    Post "/admin/dead-letters/retry" (Admin, ONE, LETTERS) => retry_many: RETRIED_MANY;
    /// Deletes dead letters, those of one subscriber or with these ids, the oldest first, up to 1,000.
    Post "/admin/dead-letters/delete" (Admin, ONE, LETTERS) => delete_many: DELETED_MANY;
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

const LETTERS: Body = &[&[
    optional("subscriber", Type::Text).about("All dead letters of this subscriber."),
    optional("ids", IDS).about("The dead letters with these ids. Either this or `subscriber`."),
]];
const RETRIED_MANY: Answer = Answer::Object(&[
    Part::value("n_taken", Type::NotNegative, "How many the subscribers took; these are deleted."),
    Part::value("n_failed", Type::NotNegative, "How many failed again; these have the new error."),
    Part::value("n_left", Type::NotNegative, "How many dead letters there are now, of all subscribers."),
]);
const DELETED_MANY: Answer = Answer::Object(&[
    Part::value("n_deleted", Type::NotNegative, "How many were deleted."),
    Part::value("n_left", Type::NotNegative, "How many dead letters there are now, of all subscribers."),
]);
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

/// Which dead letters a request is about.
#[derive(Deserialize)]
#[serde(crate = "atoll_kernel::serde")]
struct Which {
    subscriber: Option<String>,
    ids: Option<Vec<String>>,
}

impl Which {
    /// Errors: 400 for more ids than `n_max`, or unless there is exactly one of both.
    fn letters(self, n_max: usize) -> Result<Letters, Fault> {
        match (self.subscriber, self.ids) {
            (Some(subscriber), None) => Ok(Letters::Of(subscriber)),
            (None, Some(ids)) if ids.len() <= n_max => Ok(Letters::Ids(ids)),
            (None, Some(ids)) => Err(Fault::invalid(format!(
                "At most {n_max} dead letters can be named, got: '{}'",
                ids.len()
            ))),
            _ => Err(Fault::invalid("Either `subscriber` or `ids` says which dead letters")),
        }
    }
}

async fn retry_many(mut call: Call) -> Result<Reply, Fault> {
    let letters = call.read::<Which>()?.letters(DEAD_LETTERS_RETRIED_MAX)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let retried = retry_all(&app, pass.actor, &letters, DEAD_LETTERS_RETRIED_MAX).await?;
    let n_left = DEAD_LETTERS.table.count(&app.view())?;
    Ok(Reply::json(&json!({
        "n_taken": retried.n_taken, "n_failed": retried.n_failed, "n_left": n_left,
    })))
}

async fn delete_many(mut call: Call) -> Result<Reply, Fault> {
    let letters = call.read::<Which>()?.letters(DEAD_LETTERS_DELETED_MAX)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let body = move |local: &mut Local<'_>| delete_all(local, &letters, DEAD_LETTERS_DELETED_MAX);
    let (n_deleted, view) = app.local_once(pass.actor, body, |it| *it, |_, it| Ok(it)).await?;
    Ok(Reply::json(&json!({ "n_deleted": n_deleted, "n_left": DEAD_LETTERS.table.count(&view)? })))
}
