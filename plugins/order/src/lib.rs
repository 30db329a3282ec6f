//! Orders: a copy of what was bought, in which sales channel, and the state of payment and fulfilment.

mod change;
mod credit;
mod error;
mod line;
mod numbers;
mod parts;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    list_index, module,
    query::{Relation, Resolve, Visibility},
};

pub use change::{ChangeStatus, OrderChange, OrderChangeAction, end_change, open_change, request_change};
pub use credit::{CREDIT_LINES_MAX, add_credit, check_credit};
pub use error::Error;
pub use line::{LineTake, OrderItem, OrderLineItem, OrderLineItemAdjustment, OrderLineItemTaxLine};
pub use parts::{
    OrderAddress, OrderCreditLine, OrderShipping, OrderShippingMethod, OrderShippingMethodAdjustment,
    OrderShippingMethodTaxLine,
};
pub use service::{
    Fulfilled, LineProgress, archive_order, cancel_order, changed_address, complete_order, note_fulfilled,
    open_order, order_of_line, place_order, reopen_order,
};
pub use types::{FulfillmentStatus, Order, OrderPatch, OrderStatus, PaymentStatus};

/// Entity name of orders in links.
pub const ORDER: &str = "order";
/// Entity name of their lines in links.
pub const LINE_ITEM: &str = "order_line_item";

/// The orders of a channel.
pub const BY_SALES_CHANNEL: Index<Order> =
    Index::counted("order.by_sales_channel", &["sales_channel_id"], |it, keys| {
        keys.add_some(it.sales_channel_id.as_deref());
    });
const BY_CUSTOMER: Index<Order> = Index::counted("order.by_customer", &["customer_id"], |it, keys| {
    keys.add_some(it.customer_id.as_deref())
});
const BY_STATUS: Index<Order> =
    Index::counted("order.by_status", &["status"], |it, keys| keys.add(&[it.status.as_str()]));
/// The order of a line.
pub(crate) const BY_LINE: Index<Order> = Index::unique("order.by_line", &["items.id"], |it, keys| {
    it.items.iter().for_each(|line| keys.add(&[&line.id]));
});

/// Created by [`place_order`].
pub static ORDERS: Service<Order> = Service::new(&[BY_SALES_CHANNEL, BY_CUSTOMER, BY_STATUS, BY_LINE])
    .visible(Visibility::ById { channel: "sales_channel_id", customer: "customer_id" });

/// The changes of an order.
pub const CHANGES_BY_ORDER: Index<OrderChange> =
    Index::on("order_change.by_order", &["order_id"], |it, keys| keys.add(&[&it.order_id]));

/// Begun by [`request_change`], ended by [`end_change`].
pub static ORDER_CHANGES: Service<OrderChange> = Service::new(&[CHANGES_BY_ORDER]);

list_index! {
    /// Lists of orders. The words of e-mail addresses are not among them: nearly all are new with each order,
    /// and finding room for them is dearer than the rest of the checkout.
    pub static ORDER_LISTS = "order" of ORDERS {
        filters: ["status", "sales_channel_id", "region_id", "currency_code"],
        sorts: ["created_at", "updated_at", "display_id"],
        search: false,
    }
}

module! { Module {
    name: "order",
    summary: "Orders, with copies of what was bought",
    services: &[&ORDERS, &ORDER_CHANGES],
    // A change is never deleted.
    relations: &[Relation::one(ORDER, "order_change", "order_change", Resolve::Field("change_id"))],
    ..Module::EMPTY
} }
