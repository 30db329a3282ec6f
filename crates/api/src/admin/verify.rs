//! Admin route of `verify`: recomputes what is derived from the records, and lists where the store differs:
//! `/admin/verify`. An addition of ours to the wire.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    limits::VERIFY_FINDINGS_MAX,
    routes,
    serde_json::json,
};

use crate::tables::{NOTHING, ONE};

routes! {
    /// Verifies the stored data: indexes, links, counters and rules between records are compared with the
    /// records. It reads everything; while one verification runs, another is refused (409).
    Post "/admin/verify" (Admin, ONE, NOTHING) => verify: REPORT;
}

const REPORT: Answer = Answer::Object(&[Part::value(
    "verification",
    Type::Object(&[
        required("n_findings", Type::NotNegative).about("How many findings there are, listed or not."),
        required("kinds", Type::Record).about("How many findings there are of each kind."),
        required("checked", Type::Record)
            .about("How much was looked at: rows, index entries, pairs of links, by name."),
        required("findings", Type::List(&FINDING)).about("The first findings."),
    ]),
    "What was looked at, and what differs.",
)]);
const FINDING: Type = Type::Object(&[
    required("kind", Type::Text).about("What is wrong: `index.missing`, `counter.wrong`."),
    required("space", Type::Text).about("The space of the entry that is wrong, or is not there."),
    required("key", Type::Text).about("The key of the entry."),
    required("found", Type::Text).about("What is there."),
    required("expected", Type::Text).about("What should be there."),
]);

/// Verifies a snapshot of the whole store: 409 while another verification is running. Findings are all
/// counted; the first ones are listed.
async fn verify(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    let report = call.app.verify(VERIFY_FINDINGS_MAX).await?;
    Ok(Reply::json(&json!({ "verification": report })))
}
