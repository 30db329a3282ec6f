//! Link: the fulfilments of an order.

use atoll_fulfillment::FULFILLMENT;
use atoll_kernel::{data::End, link};
use atoll_order::ORDER;

link! {
    /// The fulfilments of an order.
    pub static ORDER_FULFILLMENT: Link("order_fulfillment", "ordful") = {
        left: End {
            entity: ORDER,
            key: "order_id",
            alias: "order",
            others: Some("fulfillments"),
            rows: "fulfillments_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: FULFILLMENT,
            key: "fulfillment_id",
            alias: "fulfillment",
            others: Some("order"),
            rows: "order_link",
            many: false,
            cascade: true,
        },
    };
}
