//! Foreign key: the sales channel of a cart.

use atoll_cart::CART;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// The sales channel of a cart.
    pub static CART_SALES_CHANNEL: FieldLink = FieldLink {
        from: CART,
        field: "sales_channel_id",
        relation: "sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: Some("carts"),
        // Carts of a deleted channel keep it, and no storefront can reach them.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
