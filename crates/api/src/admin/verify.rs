//! `/admin/verify`: recomputes what follows from the records, and lists what the store says otherwise. Not of
//! the wire; ours.

use atoll_kernel::{Answer, Call, Fault, Reply, limits::VERIFY_FINDINGS_MAX, routes, serde_json::json};

use crate::tables::{NOTHING, ONE};

routes! {
    Post "/admin/verify" (Admin, ONE, NOTHING) => verify: Answer::Object;
}

/// Reads everything, as it is in one snapshot: 409 while another one goes on. All findings are counted, the
/// first are listed.
async fn verify(call: Call) -> Result<Reply, Fault> {
    let report = call.app.verify(VERIFY_FINDINGS_MAX).await?;
    Ok(Reply::json(&json!({ "verification": report })))
}
