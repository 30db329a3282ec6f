//! Admin route of availability events: how far they are behind the data: `/admin/availability-events`. An
//! addition of ours to the wire.

use atoll_availability::announcement_status;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type, required},
    routes,
    serde_json::json,
};

use crate::tables::ONE;

routes! {
    /// Says how far availability events are behind the data.
    /// `sales-channel.variant-available` and `sales-channel.variant-unavailable` are written behind the
    /// changes that cause them, within milliseconds as a rule.
    Get "/admin/availability-events" (Admin, ONE) => show: STATUS;
}

const STATUS: Answer =
    Answer::Object(&[Part::value("availability_events", ANNOUNCEMENT, "How far behind they are.")]);
const ANNOUNCEMENT: Type = Type::Object(&[
    required("is_complete", Type::Bool).about(
        "Is it known what each channel sells? The first start finds that out, and announces nothing of it.",
    ),
    required("n_waiting", Type::NotNegative).about(
        "Changes that are still to be decided on, at most 10,000; a channel that was disabled is one.",
    ),
    required("next_at", Type::Date)
        .or_null()
        .about("The next moment at which time alone may change what is sold."),
]);

async fn show(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(&json!({ "availability_events": announcement_status(&call.view)? })))
}
