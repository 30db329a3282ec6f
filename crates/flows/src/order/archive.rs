//! Archives an order.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_order::{Order, archive_order};

flow! {
    /// Archives the order with this id, if it is completed or cancelled. Event: `order.archived`.
    pub static ARCHIVE_ORDER: Flow<String, Order> = "archive-order-workflow" (archive),
        hooks: &["validate", "ordersArchived"];
}

fn archive(flow: &mut Local<'_>, id: String) -> Result<Order, Fault> {
    flow.hook("validate", || json!({ "order_id": id }))?;
    let order = flow.step("archive-orders", |tx, at| Ok(archive_order(tx, at, &id)?))?;
    flow.emit("order.archived", json!({ "id": order.id }))?;
    flow.hook("ordersArchived", || json!({ "orders": [order] }))?;
    Ok(order)
}
