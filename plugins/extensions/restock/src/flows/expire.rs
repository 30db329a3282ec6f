//! Flow: deletes a batch of subscriptions that have expired.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};

use crate::{
    RESTOCK_SUBSCRIPTIONS,
    events::EXPIRED,
    points::{self, SubscriptionsNow},
};

flow! {
    /// Deletes those of these subscriptions that have expired. Event: `restock.expired`, for each whose
    /// shopper still waited.
    pub static EXPIRE_RESTOCK_SUBSCRIPTIONS: Flow<Vec<String>, ()> =
        "expire-restock-subscriptions" (expire), hooks: &[&points::EXPIRED];
}

fn expire(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    let deleted = flow.step("delete-expired-restock-subscriptions", |tx, at| {
        let mut deleted = Vec::new();
        for id in &ids {
            // It may have been deleted since, by its shopper.
            if RESTOCK_SUBSCRIPTIONS.get(tx, id)?.is_some_and(|it| it.expires_at <= at.now()) {
                deleted.extend(RESTOCK_SUBSCRIPTIONS.delete(tx, at, id)?);
            }
        }
        Ok(deleted)
    })?;
    for it in deleted.iter().filter(|it| it.is_waiting()) {
        flow.emit(EXPIRED, json!({ "id": it.id, "email": it.email, "variant_id": it.variant_id }))?;
    }
    if !deleted.is_empty() {
        flow.hook(&points::EXPIRED, || SubscriptionsNow { restock_subscriptions: deleted })?;
    }
    Ok(())
}
