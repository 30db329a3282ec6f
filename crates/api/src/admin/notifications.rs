//! Admin route of e-mails: a test of what the settings say. An addition of ours to the wire.

use atoll_flows::notification::send_test;
use atoll_kernel::{
    Fault,
    http::{Answer, Body, Call, Part, Reply, Type, optional, required},
    routes,
    serde_json::json,
};

use crate::tables::ONE;

routes! {
    /// Sends an e-mail that says nothing by the provider of the setting `email_provider`, at once, and waits
    /// until it was taken. What the provider says against it is the error (400); so it is where no provider
    /// is set.
    Post "/admin/notifications/test" (Admin, ONE, TEST) => test: SENT;
}

const TEST: Body = &[&[
    required("email", Type::Text).about("The address that it is sent to."),
    optional("sales_channel_id", Type::Text).about("The channel in whose name it is sent; by default none."),
]];
const SENT: Answer = Answer::Object(&[
    Part::value("email", Type::Text, "The address that it was sent to."),
    Part::value("provider_id", Type::Text, "The provider that has taken it."),
]);

async fn test(call: Call) -> Result<Reply, Fault> {
    let text = |name: &str| call.body()[name].as_str().map(str::to_owned);
    let (email, channel) = (text("email").unwrap_or_default(), text("sales_channel_id"));
    drop(call.view);
    let provider_id = send_test(&call.app, email.clone(), channel).await?;
    Ok(Reply::json(&json!({ "email": email, "provider_id": provider_id })))
}
