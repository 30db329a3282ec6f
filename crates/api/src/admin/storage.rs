//! Admin route of what the data takes, on the disk and in the outbox: `/admin/storage`. An addition of ours
//! to the wire.

use atoll_background::storage;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    routes,
    serde_json::json,
};

use crate::tables::ONE;

routes! {
    /// Shows what the data takes: the size of the database file, the disk space that is left beside it, and
    /// the events in the outbox.
    Get "/admin/storage" (Admin, ONE) => show: STORAGE;
}

const STORAGE: Answer = Answer::Object(&[Part::value(
    "storage",
    Type::Object(&[
        required("file_bytes", Type::NotNegative)
            .or_null()
            .about("Bytes of the database file; null if the data is in memory."),
        required("free_bytes", Type::NotNegative)
            .or_null()
            .about("Bytes that are left on its disk; null if the data is in memory."),
        required("n_events", Type::NotNegative)
            .about("Events in the outbox: those that some subscriber has not had, and those of a week."),
        required("oldest_event_at", Type::Date).or_null().about("The time of the oldest of them."),
    ]),
    "What the data takes.",
)]);

async fn show(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(&json!({ "storage": storage(&call.app)? })))
}
