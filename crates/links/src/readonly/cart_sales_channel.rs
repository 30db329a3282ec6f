//! A cart is in a sales channel.

use atoll_cart::CART;
use atoll_kernel::{FieldLink, WhenGone, link};
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
        // Carts of a deleted channel are out of reach, and stay with it.
        when_gone: WhenGone::Keep,
    };
}
