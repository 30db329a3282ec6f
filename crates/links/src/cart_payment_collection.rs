//! Link: the payment collection that pays for a cart.

use atoll_cart::CART;
use atoll_kernel::{data::End, link};
use atoll_payment::PAYMENT_COLLECTION;

link! {
    /// The payment collection that pays for a cart.
    pub static CART_PAYMENT_COLLECTION: Link("cart_payment_collection", "capaycol") = {
        left: End {
            entity: CART,
            key: "cart_id",
            alias: "cart",
            others: Some("payment_collection"),
            rows: "payment_collection_link",
            many: false,
            cascade: false,
        },
        right: End {
            entity: PAYMENT_COLLECTION,
            key: "payment_collection_id",
            alias: "payment_collection",
            others: Some("cart"),
            rows: "cart_link",
            many: false,
            cascade: false,
        },
    };
}
