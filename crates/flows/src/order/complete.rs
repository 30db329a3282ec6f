//! Says that an order is done.

use atoll_fulfillment::Fulfillment;
use atoll_inventory::send_all;
use atoll_kernel::{Fault, Local, flow, serde_json::json};
use atoll_order::{Order, complete_order};

use crate::order::fulfill::{Parcel, fulfill};

flow! {
    /// Says that the order with this id is done. What is still promised to it has left the shelf. Event: `order.completed`.
    pub static COMPLETE_ORDER: Flow<String, Order> = "complete-order-workflow" (complete),
        hooks: &["validate", "ordersCompleted"];
}

fn complete(flow: &mut Local<'_>, id: String) -> Result<Order, Fault> {
    flow.hook("validate", || json!({ "order_id": id }))?;
    let mut order = flow.step("complete-orders", |tx, at| Ok(complete_order(tx, at, &id)?))?;
    let parcels = flow.step("consume-reservations", |tx, at| {
        let mut parcels = Vec::new();
        for line in order.items.iter().filter(|line| !line.open().is_zero()) {
            parcels.push(Parcel { line, quantity: line.open(), sent: send_all(tx, at, &line.id)? });
        }
        Ok(parcels)
    })?;
    if !parcels.is_empty() {
        order = fulfill(flow, &order, parcels, &Fulfillment::default())?;
    }
    flow.emit("order.completed", json!({ "id": order.id }))?;
    flow.hook("ordersCompleted", || json!({ "orders": [order] }))?;
    Ok(order)
}
