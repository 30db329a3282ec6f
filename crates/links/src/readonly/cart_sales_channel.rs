//! A cart is in a sales channel.

use atoll_cart::CART;
use atoll_kernel::{FieldLink, link};
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// A cart is in a sales channel.
    pub static CART_SALES_CHANNEL: FieldLink = FieldLink {
        from: CART,
        field: "sales_channel_id",
        relation: "sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: Some("carts"),
    };
}
