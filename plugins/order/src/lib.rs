//! Orders: what was bought, in which channel.

mod error;
mod types;

use atoll_kernel::{Entity, Index, Module, Moment, RowError, Service, Write, module, next_number};

pub use error::Error;
pub use types::{FulfillmentStatus, Order, OrderAddress, OrderLineItem, OrderStatus, PaymentStatus};

/// The name of orders in links.
pub const ORDER: &str = "order";
/// The name of their lines in links.
pub const LINE_ITEM: &str = "order_line_item";

/// The orders of a channel.
pub const BY_SALES_CHANNEL: Index<Order> =
    Index::on("order.by_sales_channel", &["sales_channel_id"], |it, keys| {
        keys.add_some(it.sales_channel_id.as_deref());
    });
const BY_STATUS: Index<Order> =
    Index::on("order.by_status", &["status"], |it, keys| keys.add(&[it.status.as_str()]));

/// The service of orders. [`place_order`] makes them.
pub static ORDERS: Service<Order> = Service::new(&[BY_SALES_CHANNEL, BY_STATUS]);

module! { Module {
    name: "order",
    summary: "What was bought",
    services: &[&ORDERS],
    ..Module::EMPTY
} }

/// Calls an order off. One that was called off, or is done, is not.
pub fn cancel_order(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Order, Error> {
    let order = ORDERS.get(tx, id)?.ok_or_else(|| Error::NotFound(id.to_owned()))?;
    match order.status {
        OrderStatus::Canceled => return Err(Error::Canceled(id.to_owned())),
        OrderStatus::Completed => return Err(Error::Completed),
        _ => {}
    }
    Ok(ORDERS.update(tx, at, id, |it: &mut Order| {
        it.status = OrderStatus::Canceled;
        it.canceled_at = Some(at.now());
    })?)
}

/// Writes a new order, with the next number for people to read.
pub fn place_order(tx: &mut dyn Write, at: &Moment, mut order: Order) -> Result<Order, RowError> {
    order.display_id = next_number(tx, "order.display_id")?;
    for line in &mut order.items {
        if line.id.is_empty() {
            line.born(at.id(), at.now());
        }
    }
    for address in [&mut order.shipping_address, &mut order.billing_address].into_iter().flatten() {
        address.born(at.id(), at.now());
    }
    ORDERS.create(tx, at, order)
}
