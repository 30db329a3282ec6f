//! Marks fulfilments as shipped, with labels and tracking numbers, and as delivered.

use atoll_checkout::ParcelLabel;
use atoll_fulfillment::{Fulfillment, deliver, ship};
use atoll_kernel::{
    Fault, flow,
    flow::Local,
    part_of,
    serde_json::{Value, json},
};
use atoll_order::Order;
use serde::Deserialize;

use super::{LineQuantity, cancel_fulfillment::order_of_fulfillment, fulfill::note_progress};

use crate::points::{FULFILLMENT_DELIVERED, OfFulfillment, OrderNow, SHIPMENT_CREATED, VALIDATE_FULFILLMENT};

/// A fulfilment that was handed to a carrier, as a whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CreateShipment {
    /// Id of the order.
    pub order_id: String,
    /// Id of the fulfilment.
    pub fulfillment_id: String,
    /// Its lines and quantities, if the client names them: they must be all that was packed.
    pub items: Option<Vec<LineQuantity>>,
    /// Labels and tracking numbers.
    pub labels: Vec<ParcelLabel>,
    /// Should the buyer get no notification? Passed on with the event.
    pub no_notification: Option<bool>,
}

/// A fulfilment that was delivered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct MarkDelivered {
    /// Id of the order.
    pub order_id: String,
    /// Id of the fulfilment.
    pub fulfillment_id: String,
    /// Should the buyer get no notification? Passed on with the event.
    pub no_notification: Option<bool>,
}

part_of! { "fulfillment" }

flow! {
    /// Marks a fulfilment as shipped. Event: `shipment.created`.
    pub static CREATE_ORDER_SHIPMENT: Flow<CreateShipment, Order> = "create-order-shipment" (create),
        hooks: &[&VALIDATE_FULFILLMENT, &SHIPMENT_CREATED];
}

flow! {
    /// Marks a fulfilment as delivered, whether it was shipped or handed over. Event: `delivery.created`.
    pub static MARK_FULFILLMENT_DELIVERED: Flow<MarkDelivered, Order> =
        "mark-order-fulfillment-as-delivered-workflow" (delivered),
        hooks: &[&VALIDATE_FULFILLMENT, &FULFILLMENT_DELIVERED];
}

fn create(flow: &mut Local<'_>, input: CreateShipment) -> Result<Order, Fault> {
    let CreateShipment { order_id, fulfillment_id, items, labels, no_notification } = input;
    flow.hook(&VALIDATE_FULFILLMENT, || OfFulfillment::of(&order_id, &fulfillment_id))?;
    let order = order_of_fulfillment(flow.tx, &order_id, &fulfillment_id)?;
    let shipped = flow.step("create-shipment", |tx, at| Ok(ship(tx, at, &fulfillment_id, labels)?))?;
    if let Some(items) = items {
        check_items(&shipped, &items)?;
    }
    let order = note_progress(flow, "register-order-shipment", &order)?;
    flow.emit("shipment.created", event(order_id, fulfillment_id, no_notification))?;
    flow.hook(&SHIPMENT_CREATED, || OrderNow { order: order.clone() })?;
    Ok(order)
}

/// Checks that a shipment holds what was packed: a fulfilment is shipped as a whole.
fn check_items(shipped: &Fulfillment, items: &[LineQuantity]) -> Result<(), Fault> {
    for LineQuantity { id, .. } in items {
        if !shipped.packed.iter().any(|it| it.line_item_id == *id) {
            return Err(Fault::invalid(format!("Item {id} is not in fulfillment {}", shipped.id)));
        }
    }
    for packed in &shipped.packed {
        let named = items.iter().filter(|it| it.id == packed.line_item_id).map(|it| it.quantity);
        if named.sum::<atoll_kernel::Decimal>() != packed.quantity {
            return Err(Fault::invalid(format!(
                "A fulfillment is shipped as a whole: {} of item {} are packed",
                packed.quantity, packed.line_item_id
            )));
        }
    }
    Ok(())
}

fn delivered(flow: &mut Local<'_>, input: MarkDelivered) -> Result<Order, Fault> {
    let MarkDelivered { order_id, fulfillment_id, no_notification } = input;
    flow.hook(&VALIDATE_FULFILLMENT, || OfFulfillment::of(&order_id, &fulfillment_id))?;
    let order = order_of_fulfillment(flow.tx, &order_id, &fulfillment_id)?;
    flow.step("mark-fulfillment-as-delivered", |tx, at| Ok(deliver(tx, at, &fulfillment_id).map(drop)?))?;
    let order = note_progress(flow, "register-order-delivery", &order)?;
    flow.emit("delivery.created", event(order_id, fulfillment_id, no_notification))?;
    flow.hook(&FULFILLMENT_DELIVERED, || OrderNow { order: order.clone() })?;
    Ok(order)
}

fn event(order_id: String, fulfillment_id: String, no_notification: Option<bool>) -> Value {
    json!({ "id": fulfillment_id, "order_id": order_id, "no_notification": no_notification })
}
