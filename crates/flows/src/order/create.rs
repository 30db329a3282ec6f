//! Places orders.

use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};
use atoll_order::{Order, place_order};
use atoll_region::decimal_digits;

flow! {
    /// Places an order, with the next display number. It reserves no stock; completing a cart does.
    pub static CREATE_ORDERS: Flow<Order, Order> = "create-orders" (create), hooks: &["validate", "orderCreated"];
}

fn create(flow: &mut Local<'_>, order: Order) -> Result<Order, Fault> {
    flow.hook("validate", || json!({ "order": order }))?;
    let order = flow.step("create-orders", |tx, at| {
        let currency_digits = decimal_digits(tx, &order.currency_code)?;
        Ok(place_order(tx, at, Order { currency_digits, ..order })?)
    })?;
    flow.hook("orderCreated", || json!({ "order": order }))?;
    Ok(order)
}
