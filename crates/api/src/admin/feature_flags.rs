//! Admin route of feature flags: `/admin/feature-flags`.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Part, Reply, Type},
    routes,
    serde_json::{Map, Value, json},
};

use crate::tables::ONE;

routes! {
    // A dashboard asks before anybody has logged in.
    /// Shows the feature flags, and which are on.
    Get "/admin/feature-flags" (Public, ONE) => index: FLAGS;
}

const FLAGS: Answer = Answer::Object(&[Part::value(
    "feature_flags",
    Type::Record,
    "The names of the flags, each with true or false.",
)]);

async fn index(call: Call) -> Result<Reply, Fault> {
    let flags = call.app.registry().flags.iter();
    let flags: Map<String, Value> = flags.map(|it| (it.name.to_owned(), call.app.is_on(it).into())).collect();
    Ok(Reply::json(&json!({ "feature_flags": flags })))
}
