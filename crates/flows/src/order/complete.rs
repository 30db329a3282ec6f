//! Completes an order.

use atoll_fulfillment::Fulfillment;
use atoll_inventory::{release, send_up_to};
use atoll_kernel::{Decimal, Fault, flow, flow::Local, serde_json::json};
use atoll_links::ORDER_FULFILLMENT;
use atoll_order::{ORDERS, Order, complete_order};

use super::{
    carrier::Carrier,
    fulfill::{Parcel, by_location, write},
    out::{Out, Take},
};

use crate::points::{ORDERS_COMPLETED, OfOrder, Records, VALIDATE_ORDER};

flow! {
    /// Completes the order with this id. What is still reserved for it is fulfilled, as far as it was
    /// ordered; no provider outside is asked. Reservations beyond that are released. With the module
    /// `fulfillment` switched off they stay. Event: `order.completed`.
    pub static COMPLETE_ORDER: Flow<String, Order> = "complete-order-workflow" (complete),
        hooks: &[&VALIDATE_ORDER, &ORDERS_COMPLETED];
}

fn complete(flow: &mut Local<'_>, id: String) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&id))?;
    let mut order = flow.step("complete-orders", |tx, at| Ok(complete_order(tx, at, &id)?))?;
    let parcels = flow.step("consume-reservations", |tx, at| {
        let mut parcels = Vec::new();
        // Without fulfilments nothing says what was sent: it stays reserved.
        if !ORDER_FULFILLMENT.is_on() {
            return Ok(parcels);
        }
        let out = Out::of(tx, &id)?;
        for line in &order.items {
            let takes = out.takes(tx, line)?;
            let quantity = line.quantity - out.fulfilled(line, &takes);
            let mut sent = Vec::new();
            for take in &takes {
                let missing = out.missing(line, take, line.quantity - quantity, quantity);
                if missing > Decimal::ZERO {
                    sent.extend(send_up_to(tx, at, &line.id, &take.item, missing, None)?.0);
                }
            }
            release(tx, at, &line.id)?;
            // A line whose stock is counted, but no longer reserved, is not marked as fulfilled.
            if !quantity.is_zero() && (takes.iter().all(Take::is_by_hand) || !sent.is_empty()) {
                parcels.push(Parcel::new(line, quantity, &takes, sent));
            }
        }
        Ok(parcels)
    })?;
    if !parcels.is_empty() {
        let carrier = Carrier::of_rest(flow.ctx(), flow.tx, &order)?;
        let like = Fulfillment {
            location_id: carrier.location_id.clone(),
            requires_shipping: parcels.iter().any(Parcel::requires_shipping),
            ..carrier.like(&order, None)?
        };
        let parcels = by_location(flow.tx, flow.at, parcels, &like)?;
        write(flow, &order, parcels, None)?;
        order = ORDERS.retrieve(flow.tx, &id)?;
    }
    flow.emit("order.completed", json!({ "id": order.id }))?;
    flow.hook(&ORDERS_COMPLETED, || Records::one(&order))?;
    Ok(order)
}
