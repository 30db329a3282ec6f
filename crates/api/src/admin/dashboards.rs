//! Admin routes that dashboards ask on their pages, of areas that are not there: `/admin/plugins` and
//! `/admin/notifications` answer as where nobody has installed or sent any.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Type},
    routes,
    serde_json::json,
};

use crate::tables::{ONE, lenient_list};

routes! {
    /// Lists the plugins of the dashboard: none.
    Get "/admin/plugins" (Admin, ONE) => plugins: PLUGINS;
    /// Lists the notifications of an admin: none.
    Get "/admin/notifications" (Admin, ANY) => notifications: NOTIFICATIONS;
}

/// Filters of nothing are not looked at.
const ANY: Params = lenient_list(&[], 50);

const PLUGINS: Answer = Answer::Object(&[Part::value(
    "plugins",
    Type::List(&Type::Record),
    "The plugins, of which there are none.",
)]);
const NOTIFICATIONS: Answer = Answer::Object(&[
    Part::value("notifications", Type::List(&Type::Record), "The notifications, of which there are none."),
    Part::value("count", Type::NotNegative, "How many there are."),
    Part::value("offset", Type::NotNegative, "How many were skipped."),
    Part::value("limit", Type::NotNegative, "The size of the page."),
]);

async fn plugins(_: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(&json!({ "plugins": [] })))
}

async fn notifications(call: Call) -> Result<Reply, Fault> {
    let (offset, limit) = (call.params.offset, call.params.limit);
    Ok(Reply::json(&json!({ "notifications": [], "count": 0, "offset": offset, "limit": limit })))
}
