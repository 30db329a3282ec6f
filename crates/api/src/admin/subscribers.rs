//! Admin route of subscribers, with how far behind the events they are: `/admin/subscribers`. An addition of
//! ours to the wire.

use atoll_background::subscribers;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    routes,
    serde_json::json,
};

use crate::tables::ONE;

routes! {
    /// Lists the subscribers: which events they follow, and how far behind they are.
    Get "/admin/subscribers" (Admin, ONE) => index: SUBSCRIBERS;
}

const SUBSCRIBERS: Answer = Answer::Object(&[
    Part::value("count", Type::NotNegative, "How many there are; all of them are listed."),
    Part::value("subscribers", Type::List(&SUBSCRIBER), "The subscribers, by name."),
]);
const SUBSCRIBER: Type = Type::Object(&[
    required("name", Type::Text).about("The name of the subscriber."),
    required("events", Type::List(&Type::Text)).about("The events that it follows; `*` is all of them."),
    required("n_waiting", Type::NotNegative)
        .or_null()
        .about("Events that it has not come to, followed or not; null if it was never started."),
    required("oldest_waiting_at", Type::Date).or_null().about("The time of the oldest of them."),
    required("n_failed", Type::NotNegative).about("How often it failed on the next one so far."),
    required("n_dead_letters", Type::NotNegative).about("Events that it failed on too often."),
]);

/// Lists all, without pagination: their number is fixed at link time.
async fn index(call: Call) -> Result<Reply, Fault> {
    let subscribers = subscribers(&call.app)?;
    Ok(Reply::json(&json!({ "count": subscribers.len(), "subscribers": subscribers })))
}
