//! Flow: asks the decision for a batch of subscriptions, and tells those shoppers whose channel can sell.
//!
//! The decision, the change of the record and the event are one transaction. So a shopper is told only of
//! what the channel can sell at that moment; two runs at once, or one again after a crash, tell nobody twice,
//! because the second finds the shopper told; and nobody is forgotten, because without the event the shopper
//! still waits.

use atoll_kernel::{Fault, Moment, Read, StoreError, Write, flow, flow::Local, serde_json::json};

use crate::{
    RESTOCK_SUBSCRIPTIONS, RestockStatus, RestockSubscription,
    decide::{Decision, decide},
    events::AVAILABLE,
    points::{self, SubscriptionsNow},
};

flow! {
    /// Tells the shoppers among these, by the ids of their subscriptions, whose channel can sell what they
    /// wait for; answers the ids of those that were told. A batch has at most
    /// [`BATCH`](crate::BATCH). Event: `restock.available`, for each.
    pub static TELL_RESTOCK: Flow<Vec<String>, Vec<String>> =
        "tell-restock" (tell), hooks: &[&points::AVAILABLE];
}

fn tell(flow: &mut Local<'_>, ids: Vec<String>) -> Result<Vec<String>, Fault> {
    let ctx = flow.ctx();
    let told = flow.step("tell-restock-subscriptions", |tx, at| {
        let waiting = waiting(tx, &ids)?;
        let decisions = decide(ctx, tx, at.now(), &waiting)?;
        let mut told = Vec::new();
        for (it, decision) in waiting.iter().zip(decisions) {
            if decision.changes(it, at.now()) {
                told.extend(note(tx, at, it, &decision)?.map(|it| (it, decision)));
            }
        }
        Ok(told)
    })?;
    for (it, decision) in &told {
        let event = json!({
            "id": it.id, "email": it.email, "locale": it.locale, "customer_id": it.customer_id,
            "variant_id": it.variant_id, "sales_channel_id": it.sales_channel_id, "quantity": it.quantity,
            "available_quantity": decision.available,
        });
        flow.emit(AVAILABLE, event)?;
    }
    let told: Vec<_> = told.into_iter().map(|(it, _)| it).collect();
    if !told.is_empty() {
        flow.hook(&points::AVAILABLE, || SubscriptionsNow { restock_subscriptions: told.clone() })?;
    }
    Ok(told.iter().map(|it| it.id.to_string()).collect())
}

/// Those of these subscriptions that still wait.
pub(crate) fn waiting(view: &dyn Read, ids: &[String]) -> Result<Vec<RestockSubscription>, StoreError> {
    let mut waiting = Vec::with_capacity(ids.len());
    for id in ids {
        waiting.extend(RESTOCK_SUBSCRIPTIONS.get(view, id)?.filter(RestockSubscription::is_waiting));
    }
    Ok(waiting)
}

/// Notes the decision in the record, which is returned if the shopper is told now.
fn note(
    tx: &mut dyn Write,
    at: &Moment,
    it: &RestockSubscription,
    decision: &Decision,
) -> Result<Option<RestockSubscription>, Fault> {
    let change = |it: &mut RestockSubscription| {
        it.check_at = decision.check_at;
        if decision.sellable {
            it.status = RestockStatus::Told;
            it.told_at = Some(at.now());
        }
    };
    let noted = RESTOCK_SUBSCRIPTIONS.update(tx, at, &it.id, change)?;
    Ok(Some(noted).filter(|it| !it.is_waiting()))
}
