//! Updates a placed order.

use atoll_kernel::{
    Fault, Metadata, flow,
    flow::Local,
    serde_json::{Map, Value, json},
};
use atoll_order::{ORDERS, Order, OrderPatch, changed_address, open_order};
use serde::Deserialize;

use crate::points::{ORDER_UPDATED, OfOrder, OrderNow, VALIDATE_ORDER};

/// The editable fields of an order: e-mail, locale, and addresses within their country.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct UpdateOrder {
    /// E-mail address.
    pub email: Option<String>,
    /// Locale: `en-GB`.
    pub locale: Option<String>,
    /// Changed fields of the shipping address.
    pub shipping_address: Option<Map<String, Value>>,
    /// Changed fields of the billing address.
    pub billing_address: Option<Map<String, Value>>,
    /// Free data.
    #[serde(deserialize_with = "atoll_kernel::data::present")]
    pub metadata: Option<Metadata>,
}

flow! {
    /// Updates the order with this id. Event: `order.updated`.
    pub static UPDATE_ORDER: Flow<(String, UpdateOrder), Order> = "update-order-workflow" (update),
        hooks: &[&VALIDATE_ORDER, &ORDER_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, input): (String, UpdateOrder)) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&id))?;
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
    flow.hook(&ORDER_UPDATED, || OrderNow { order: order.clone() })?;
    Ok(order)
}
