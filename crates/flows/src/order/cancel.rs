//! Cancels an order: releases its reservations, refunds or cancels its payments.

use atoll_inventory::release as release_inventory;
use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_links::ORDER_PAYMENT_COLLECTION;
use atoll_order::{Error as OrderError, ORDERS, Order, cancel_order};
use atoll_promotion::give_back;

use super::out::Out;
use crate::payment::release;
use crate::points::{ORDER_CANCELED, OfOrder, OrderNow, VALIDATE_ORDER};

flow! {
    /// Cancels the order with this id: releases its reservations, and refunds or cancels its payments. Event:
    /// `order.canceled`.
    pub static CANCEL_ORDER: Flow<String, Order> = "cancel-order" (cancel), hooks: &[&VALIDATE_ORDER, &ORDER_CANCELED];
}

fn cancel(flow: &mut Local<'_>, id: String) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&id))?;
    let order = flow.step("cancel-orders", |tx, at| {
        let order = cancel_order(tx, at, &id)?;
        if Out::of(tx, &id)?.is_empty() { Ok(order) } else { Err(OrderError::HasFulfillments.into()) }
    })?;
    flow.step("delete-reservations-by-line-items", |tx, at| {
        for line in &order.items {
            release_inventory(tx, at, &line.id)?;
        }
        Ok(())
    })?;
    flow.step("give-back-promotions", |tx, at| {
        order.promotion_uses.iter().try_for_each(|it| give_back(tx, at, it)).map_err(Fault::from)
    })?;
    for collection in ORDER_PAYMENT_COLLECTION.rights(flow.tx, &order.id)? {
        release(flow, &collection)?;
    }
    let order = ORDERS.retrieve(flow.tx, &id)?;
    flow.emit("order.canceled", json!({ "id": order.id }))?;
    flow.hook(&ORDER_CANCELED, || OrderNow { order: order.clone() })?;
    Ok(order)
}
