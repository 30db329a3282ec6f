//! Calls back what was sent.

use atoll_fulfillment::cancel as cancel_fulfillment;
use atoll_inventory::{Sent, bring_back};
use atoll_kernel::{Decimal, Fault, Local, flow, serde_json::json};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{Order, add_fulfilled, open_order};

/// What is to be called back of an order.
#[derive(Clone, Debug)]
pub struct CancelFulfillment {
    /// The order, by its id.
    pub order_id: String,
    /// The fulfilment, by its id.
    pub fulfillment_id: String,
}

flow! {
    /// Calls a fulfilment off: what was taken for it is on the shelf again, and promised to its lines. Event:
    /// `order.fulfillment_canceled`.
    pub static CANCEL_ORDER_FULFILLMENT: Flow<CancelFulfillment, Order> = "cancel-order-fulfillment" (cancel),
        hooks: &["validate", "orderFulfillmentCanceled"];
}

fn cancel(flow: &mut Local<'_>, input: CancelFulfillment) -> Result<Order, Fault> {
    let CancelFulfillment { order_id, fulfillment_id } = input;
    let told = json!({ "order_id": order_id, "fulfillment_id": fulfillment_id });
    flow.hook("validate", || told.clone())?;
    open_order(flow.tx, &order_id)?;
    if !ORDER_FULFILLMENT.rights(flow.tx, &order_id)?.contains(&fulfillment_id) {
        return Err(Fault::invalid(format!("Fulfillment with id {fulfillment_id} not found in the order")));
    }
    let fulfillment =
        flow.step("cancel-fulfillment", |tx, at| Ok(cancel_fulfillment(tx, at, &fulfillment_id)?))?;
    flow.step("restore-reservations", |tx, at| {
        for item in fulfillment.items {
            let location = fulfillment.location_id.clone().unwrap_or_default();
            let sent = Sent { item: item.inventory_item_id, location, quantity: item.quantity };
            bring_back(tx, at, &item.line_item_id, sent)?;
        }
        Ok(())
    })?;
    let less: Vec<(String, Decimal)> =
        fulfillment.packed.into_iter().map(|it| (it.line_item_id, Decimal::ZERO - it.quantity)).collect();
    let order = flow
        .step("register-order-fulfillment-canceled", |tx, at| Ok(add_fulfilled(tx, at, &order_id, &less)?))?;
    flow.emit("order.fulfillment_canceled", told)?;
    flow.hook("orderFulfillmentCanceled", || json!({ "order": order }))?;
    Ok(order)
}
