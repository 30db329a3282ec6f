//! Flow: deletes a subscription, for good: it holds an e-mail address that its owner wants to be forgotten.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};

use crate::{
    RESTOCK_SUBSCRIPTIONS,
    events::UNSUBSCRIBED,
    points::{self, SubscriptionNow},
};

flow! {
    /// Deletes the subscription with this id. An unknown id is ignored, so that a request can be repeated.
    /// Event: `restock.unsubscribed`.
    pub static UNSUBSCRIBE_FROM_RESTOCK: Flow<String, ()> =
        "unsubscribe-from-restock" (unsubscribe), hooks: &[&points::UNSUBSCRIBED];
}

fn unsubscribe(flow: &mut Local<'_>, id: String) -> Result<(), Fault> {
    let deleted =
        flow.step("delete-restock-subscription", |tx, at| Ok(RESTOCK_SUBSCRIPTIONS.delete(tx, at, &id)?))?;
    if let Some(it) = deleted {
        flow.emit(UNSUBSCRIBED, json!({ "id": it.id }))?;
        flow.hook(&points::UNSUBSCRIBED, || SubscriptionNow { restock_subscription: it })?;
    }
    Ok(())
}
