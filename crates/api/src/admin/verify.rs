//! Admin route of `verify`: recomputes what is derived from the records, and lists where the store differs:
//! `/admin/verify`. An addition of ours to the wire.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Reply},
    limits::VERIFY_FINDINGS_MAX,
    routes,
    serde_json::json,
};

use crate::tables::{NOTHING, ONE};

routes! {
    /// Verifies the stored data: indexes, links, counters and rules between records are compared with the
    /// records. It reads everything; while one verification runs, another is refused (409).
    Post "/admin/verify" (Admin, ONE, NOTHING) => verify: Answer::Object;
}

/// Verifies a snapshot of the whole store: 409 while another verification is running. Findings are all
/// counted; the first ones are listed.
async fn verify(call: Call) -> Result<Reply, Fault> {
    drop(call.view);
    let report = call.app.verify(VERIFY_FINDINGS_MAX).await?;
    Ok(Reply::json(&json!({ "verification": report })))
}
