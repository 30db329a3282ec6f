//! Changes an order that is placed.

use atoll_kernel::{
    Fault, Local, Metadata, flow,
    serde_json::{Map, Value, json},
};
use atoll_order::{ORDERS, Order, OrderPatch, changed_address, open_order};
use serde::Deserialize;

/// What may be changed of an order: whom to write to, and where to send it within its country.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UpdateOrder {
    /// Where to write to.
    pub email: Option<String>,
    /// The language.
    pub locale: Option<String>,
    /// What is different of where to send it.
    pub shipping_address: Option<Map<String, Value>>,
    /// What is different of whom to bill.
    pub billing_address: Option<Map<String, Value>>,
    /// Free data.
    #[serde(deserialize_with = "atoll_kernel::present")]
    pub metadata: Option<Metadata>,
}

flow! {
    /// Changes the order with this id. Event: `order.updated`.
    pub static UPDATE_ORDER: Flow<(String, UpdateOrder), Order> = "update-order-workflow" (update),
        hooks: &["validate", "orderUpdated"];
}

fn update(flow: &mut Local<'_>, (id, input): (String, UpdateOrder)) -> Result<Order, Fault> {
    flow.hook("validate", || json!({ "order_id": id }))?;
    let order = flow.step("update-order", |tx, at| {
        let order = open_order(tx, &id)?;
        let address = |before: &Option<_>, given: Option<_>| {
            given.map(|it| changed_address(at, before.as_ref(), it)).transpose()
        };
        let patch = OrderPatch {
            email: input.email.map(Some),
            locale: input.locale.map(Some),
            shipping_address: address(&order.shipping_address, input.shipping_address)?.map(Some),
            billing_address: address(&order.billing_address, input.billing_address)?.map(Some),
            metadata: input.metadata,
            ..OrderPatch::default()
        };
        Ok(ORDERS.update(tx, at, &id, patch)?)
    })?;
    flow.emit("order.updated", json!({ "id": order.id }))?;
    flow.hook("orderUpdated", || json!({ "order": order }))?;
    Ok(order)
}
