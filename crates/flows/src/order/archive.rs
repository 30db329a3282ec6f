//! Archives an order.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_order::{Order, archive_order};

use crate::points::{ORDERS_ARCHIVED, OfOrder, Records, VALIDATE_ORDER};

flow! {
    /// Archives the order with this id, if it is completed or cancelled. Event: `order.archived`.
    pub static ARCHIVE_ORDER: Flow<String, Order> = "archive-order-workflow" (archive),
        hooks: &[&VALIDATE_ORDER, &ORDERS_ARCHIVED];
}

fn archive(flow: &mut Local<'_>, id: String) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_ORDER, || OfOrder::of(&id))?;
    let order = flow.step("archive-orders", |tx, at| Ok(archive_order(tx, at, &id)?))?;
    flow.emit("order.archived", json!({ "id": order.id }))?;
    flow.hook(&ORDERS_ARCHIVED, || Records::one(&order))?;
    Ok(order)
}
