//! Places orders.

use atoll_kernel::{Fault, flow, flow::Local};
use atoll_order::{Order, place_order};
use atoll_region::decimal_digits;

use crate::points::{ORDER_CREATED, OrderNow, VALIDATE_NEW_ORDER};

flow! {
    /// Places an order, with the next display number. It reserves no stock; completing a cart does.
    pub static CREATE_ORDERS: Flow<Order, Order> = "create-orders" (create), hooks: &[&VALIDATE_NEW_ORDER, &ORDER_CREATED];
}

fn create(flow: &mut Local<'_>, order: Order) -> Result<Order, Fault> {
    flow.hook(&VALIDATE_NEW_ORDER, || OrderNow { order: order.clone() })?;
    let order = flow.step("create-orders", |tx, at| {
        let currency_digits = decimal_digits(tx, &order.currency_code)?;
        Ok(place_order(tx, at, Order { currency_digits, ..order })?)
    })?;
    flow.hook(&ORDER_CREATED, || OrderNow { order: order.clone() })?;
    Ok(order)
}
