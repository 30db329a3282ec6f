//! Carts: what a shopper is about to buy, in one channel.

mod error;
mod service;
mod types;

use atoll_kernel::{Index, Module, Service, limits::CART_BYTES_MAX, module};

pub use error::Error;
pub use service::{add_line, complete, open_cart, remove_line, set_prices, set_quantity};
pub use types::{Cart, CartAddress, CartPatch, LineItem};

/// Lines of one cart. A cart is read and written as a whole, by whoever has a publishable key.
pub const N_LINES_MAX: usize = 100;
/// Bytes of metadata of one line.
pub const METADATA_BYTES_MAX: usize = 16 * 1024;

/// The name of carts in links.
pub const CART: &str = "cart";
/// The name of their lines in links.
pub const LINE_ITEM: &str = "cart_line_item";

/// The carts of a channel.
pub const BY_SALES_CHANNEL: Index<Cart> =
    Index::on("cart.by_sales_channel", &["sales_channel_id"], |it, keys| {
        keys.add_some(it.sales_channel_id.as_deref());
    });

/// The service of carts. [`open_cart`] and its like keep the rules of the module.
pub static CARTS: Service<Cart> = Service::new(&[BY_SALES_CHANNEL]).at_most(CART_BYTES_MAX);

module! { Module {
    name: "cart",
    summary: "What a shopper is about to buy",
    services: &[&CARTS],
    ..Module::EMPTY
} }
