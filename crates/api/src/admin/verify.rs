//! Admin routes of `verify`: recomputes what is derived from the records, and lists where the store differs,
//! while the caller waits or in the background: `/admin/verify`. An addition of ours to the wire.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    led,
    limits::VERIFY_FINDINGS_MAX,
    routes,
    serde_json::json,
};

use crate::tables::{NOTHING, ONE};

led! { "/admin/verify" }

routes! {
    /// Verifies the stored data: indexes, links, counters and rules between records are compared with the
    /// records. It reads everything; while one verification runs, another is refused (409).
    Post "/admin/verify" (Admin, ONE, NOTHING) => verify: REPORTED;
    /// Shows the verification in the background that was started last, since the start of this process: how
    /// far it has come, or what it has found.
    Get "/admin/verify" (Admin, ONE) => show: VERIFICATION;
    /// Starts a verification in the background. While one verification runs, another is refused (409).
    Post "/admin/verify/start" (Admin, ONE, NOTHING) => start: VERIFICATION;
}

const REPORTED: Answer =
    Answer::Object(&[Part::value("verification", REPORT, "What was looked at, and what differs.")]);
const REPORT: Type = Type::Object(&[
    required("n_findings", Type::NotNegative).about("How many findings there are, listed or not."),
    required("kinds", Type::Record).about("How many findings there are of each kind."),
    required("checked", Type::Record)
        .about("How much was looked at: rows, index entries, pairs of links, by name."),
    required("findings", Type::List(&FINDING)).about("The first findings."),
]);
const VERIFICATION: Answer = Answer::Object(&[Part::value(
    "verification",
    Type::Object(&[
        required("started_at", Type::Date).or_null().about("When it began; null if none was started."),
        required("ended_at", Type::Date).or_null().about("When it ended; null while it is running."),
        required("n_checked", Type::NotNegative).about("How many entries were looked at so far."),
        required("report", REPORT)
            .or_null()
            .about("What was looked at, and what differs; null before it has ended."),
        required("error", Type::Text).or_null().about("Why it did not come to its end."),
    ]),
    "The verification.",
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

async fn show(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(&json!({ "verification": call.app.verification() })))
}

async fn start(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    call.app.start_verification(VERIFY_FINDINGS_MAX)?;
    Ok(Reply::json(&json!({ "verification": call.app.verification() })))
}
