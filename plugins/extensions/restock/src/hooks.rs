//! Hooks: steps of this extension in a flow of the core. When a cart becomes an order, its metadata say of
//! which subscriptions it came (a hook that contributes), and the shopper need not be told any more.

use atoll_flows::points::{ORDER_PLACED, OrderExtras, OrderPlaced, OrderToPlace, PLACE_ORDER};
use atoll_kernel::{
    Fault, Metadata, StoreError,
    flow::Local,
    hook,
    serde_json::{Map, json},
};
use atoll_order::Order;

use crate::{
    BY_EMAIL, RESTOCK, RESTOCK_SUBSCRIPTION_ORDER, RESTOCK_SUBSCRIPTIONS, RestockStatus, RestockSubscription,
};

hook! { "restock.mark-order" in PLACE_ORDER => mark_order }

/// Adds the ids of the subscriptions to the metadata of the order, `restock_subscriptions`, for systems that
/// get the order and cannot follow its links.
fn mark_order(flow: &mut Local<'_>, input: &OrderToPlace) -> Result<OrderExtras, Fault> {
    let mut extras = OrderExtras::default();
    let bought = bought(flow, &input.order)?;
    if !bought.is_empty() {
        let ids: Vec<_> = bought.iter().map(|it| &it.id).collect();
        let ids = ("restock_subscriptions".to_owned(), json!(ids));
        extras.metadata = Metadata(Some(Map::from_iter([ids])));
    }
    Ok(extras)
}

hook! { "restock.note-purchase" in ORDER_PLACED => note_purchase }

/// Closes the subscriptions, and links the order to them.
fn note_purchase(flow: &mut Local<'_>, placed: &OrderPlaced) -> Result<(), Fault> {
    for it in bought(flow, &placed.order)? {
        let close = |it: &mut RestockSubscription| it.status = RestockStatus::Bought;
        RESTOCK_SUBSCRIPTIONS.update(flow.tx, flow.at, &it.id, close)?;
        RESTOCK_SUBSCRIPTION_ORDER.attach(flow.tx, flow.at, &it.id, &placed.order.id, Map::new())?;
    }
    Ok(())
}

/// The subscriptions of the buyer to what the order buys, in its channel; none while the extension is off.
///
/// It is asked in the transaction that places the order: an error would refuse the order, so a damaged
/// subscription is skipped.
fn bought(flow: &Local<'_>, order: &Order) -> Result<Vec<RestockSubscription>, StoreError> {
    if !flow.ctx().is_on(&RESTOCK) {
        return Ok(Vec::new());
    }
    let is_bought = |it: &RestockSubscription| {
        let has_variant = order.items.iter().any(|line| line.variant_id.as_ref() == Some(&it.variant_id));
        has_variant && order.sales_channel_id == it.sales_channel_id && it.status != RestockStatus::Bought
    };
    let email = order.email.as_deref().unwrap_or_default().to_lowercase();
    let mut found = RESTOCK_SUBSCRIPTIONS.table.list_undamaged_by(flow.tx, &BY_EMAIL, &[&email])?;
    found.retain(is_bought);
    Ok(found)
}
