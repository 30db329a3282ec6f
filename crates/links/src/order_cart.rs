//! Link: the cart that an order was made from.

use atoll_cart::CART;
use atoll_kernel::{data::End, link};
use atoll_order::ORDER;

link! {
    /// The cart that an order was made from.
    pub static ORDER_CART: Link("order_cart", "ordercart") = {
        left: End {
            entity: ORDER,
            key: "order_id",
            alias: "order",
            others: Some("cart"),
            rows: "cart_link",
            many: false,
            cascade: false,
        },
        right: End {
            entity: CART,
            key: "cart_id",
            alias: "cart",
            others: Some("order"),
            rows: "order_link",
            many: false,
            cascade: false,
        },
    };
}
