//! Hook: a step of this extension in a flow of the core. When a cart becomes an order, the shopper who waits
//! for one of its variants need not be told any more, and the order shows that it came of a subscription.

use atoll_flows::points::{ORDER_PLACED, OrderPlaced};
use atoll_kernel::{Fault, flow::Local, hook, serde_json::Map};
use atoll_order::Order;

use crate::{
    BY_EMAIL, RESTOCK, RESTOCK_SUBSCRIPTION_ORDER, RESTOCK_SUBSCRIPTIONS, RestockStatus, RestockSubscription,
};

hook! { "restock.note-purchase" in ORDER_PLACED => note_purchase }

/// Runs in the transaction that places the order: an error would refuse the order, so a damaged subscription
/// is skipped.
fn note_purchase(flow: &mut Local<'_>, placed: &OrderPlaced) -> Result<(), Fault> {
    if !flow.ctx().is_on(&RESTOCK) {
        return Ok(());
    }
    let order = &placed.order;
    let email = order.email.as_deref().unwrap_or_default().to_lowercase();
    for it in RESTOCK_SUBSCRIPTIONS.table.list_undamaged_by(flow.tx, &BY_EMAIL, &[&email])? {
        if it.status != RestockStatus::Bought && is_bought(order, &it) {
            let close = |it: &mut RestockSubscription| it.status = RestockStatus::Bought;
            RESTOCK_SUBSCRIPTIONS.update(flow.tx, flow.at, &it.id, close)?;
            RESTOCK_SUBSCRIPTION_ORDER.attach(flow.tx, flow.at, &it.id, &order.id, Map::new())?;
        }
    }
    Ok(())
}

/// Is it an order of the variant, in the channel of the subscription?
fn is_bought(order: &Order, it: &RestockSubscription) -> bool {
    let has_variant = order.items.iter().any(|line| line.variant_id.as_ref() == Some(&it.variant_id));
    has_variant && order.sales_channel_id == it.sales_channel_id
}
