//! Link: the payment collection that pays for an order.

use atoll_kernel::{data::End, link};
use atoll_order::ORDER;
use atoll_payment::PAYMENT_COLLECTION;

link! {
    /// The payment collection that pays for an order: that of its cart.
    pub static ORDER_PAYMENT_COLLECTION: Link("order_payment_collection", "ordpay") = {
        left: End {
            entity: ORDER,
            key: "order_id",
            alias: "order",
            others: Some("payment_collections"),
            rows: "payment_collections_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: PAYMENT_COLLECTION,
            key: "payment_collection_id",
            alias: "payment_collection",
            others: Some("order"),
            rows: "order_link",
            many: false,
            cascade: true,
        },
    };
}
