//! Admin route of the counters of this process, for metrics: time and keys per route, and what the writer
//! does: `/admin/counters`. An addition of ours to the wire.

use atoll_kernel::{
    Fault,
    http::{Answer, App as _, Call, Part, Reply, Type, required},
    routes,
    serde_json::json,
};

use crate::tables::ONE;

routes! {
    /// Shows the counters of this process, since its start.
    /// Time and keys read per route; queue, batches and commits of the writer; what became of remembered
    /// answers. Durations are in nanoseconds.
    Get "/admin/counters" (Admin, ONE) => show: COUNTERS;
}

const COUNTERS: Answer = Answer::Object(&[
    Part::value("requests", Type::List(&ROUTE), "The routes that were requested, by path."),
    Part::value("writer", WRITER, "What the writer has done."),
    Part::Value(
        required("answers", ANSWERS)
            .or_null()
            .about("Requests whose answers may be remembered; null if none are, by `answers_bytes_max`."),
    ),
]);
const ROUTE: Type = Type::Object(&[
    required("method", Type::Text).about("The HTTP method."),
    required("path", Type::Text).about("The path, with parameters as `:name`."),
    required("time_ns", SUMMARY).about("From the head of a request to its answer."),
    required("keys_read", SUMMARY)
        .about("What its handler reads; not what authentication and the bodies of transactions read."),
]);
const WRITER: Type = Type::Object(&[
    required("queue", SUMMARY).about("Transactions that waited when a batch began, those of it included."),
    required("batch", SUMMARY).about("Transactions of a batch, which one commit writes."),
    required("body_ns", SUMMARY).about("Time of a transaction on the writer's thread."),
    required("commit_ns", SUMMARY).about("Time of a commit, with its flush to disk."),
    required("keys_read", SUMMARY).about("Keys that a transaction reads."),
    required("keys_written", SUMMARY).about("Keys that a commit writes."),
    required("bytes_written", SUMMARY).about("Bytes of these keys and of their values."),
]);
const ANSWERS: Type = Type::Object(&[
    required("remembered", Type::NotNegative).about("Requests that got a remembered answer."),
    required("not_modified", Type::NotNegative).about("Of them and of others, those that got a 304."),
    required("missed", Type::NotNegative).about("Requests whose answer was not remembered."),
    required("outdated", Type::NotNegative).about("Of them, those whose answer had been, and was outdated."),
    required("left_out", Type::NotNegative).about(
        "Answers that were not remembered: errors, too large, or dependent on more than data and time.",
    ),
    required("evicted", Type::NotNegative).about("Answers that were forgotten to make room."),
    required("answers", Type::NotNegative).about("Answers that are remembered now."),
    required("bytes", Type::NotNegative).about("The memory that they take, in bytes."),
]);
const SUMMARY: Type = Type::Object(&[
    required("count", Type::NotNegative).about("How many values."),
    required("sum", Type::NotNegative).about("Their sum."),
    required("p50", Type::NotNegative).about("The median, rounded up to a power of two."),
    required("p99", Type::NotNegative).about("The 99th percentile, rounded likewise."),
    required("max", Type::NotNegative).about("The largest."),
]);

async fn show(call: Call) -> Result<Reply, Fault> {
    let (requests, writer) = (call.app.counters().summary(), call.app.store().counters().summary());
    let answers = call.app.answer_cache_counts();
    Ok(Reply::json(&json!({ "requests": requests, "writer": writer, "answers": answers })))
}
