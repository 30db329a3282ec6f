//! Shopping carts, each in one sales channel.

mod error;
mod parts;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    limits::CART_BYTES_MAX,
    module,
    query::Visibility,
};

pub use error::Error;
pub use parts::{
    CartAddress, CreditLine, LineItem, LineItemAdjustment, LineItemTaxLine, ShippingMethod,
    ShippingMethodAdjustment, ShippingMethodTaxLine,
};
pub use service::{complete, day_of, open_cart, save_cart};
pub use types::{Cart, CartPatch};

/// Most lines of one cart: a cart is read and written as a whole, by any client with a publishable key.
pub const N_LINES_MAX: usize = 100;
/// Most bytes of metadata of one line.
pub const METADATA_BYTES_MAX: usize = 16 * 1024;

/// Entity name of carts in links.
pub const CART: &str = "cart";
/// Entity name of their lines in links.
pub const LINE_ITEM: &str = "cart_line_item";

/// The carts of a channel.
pub const BY_SALES_CHANNEL: Index<Cart> =
    Index::on("cart.by_sales_channel", &["sales_channel_id"], |it, keys| {
        keys.add_some(it.sales_channel_id.as_deref());
    });

/// Carts that are no orders yet, by the day of their last change ([`day_of`]): the first expire first. A day
/// and not a moment, so that most changes of a cart leave its entry as it is.
pub const OPEN_BY_DAY: Index<Cart> =
    Index::on("cart.open_by_day", &["completed_at", "updated_at"], |it, keys| {
        if it.completed_at.is_none() {
            keys.add(&[&day_of(it.updated_at)]);
        }
    });

/// Write through [`open_cart`], [`save_cart`] and [`complete`], which enforce the rules of the module.
pub static CARTS: Service<Cart> = Service::new(&[BY_SALES_CHANNEL, OPEN_BY_DAY])
    .visible(Visibility::ById { channel: "sales_channel_id", customer: "customer_id" })
    .at_most(CART_BYTES_MAX);

module! { Module {
    name: "cart",
    summary: "Shopping carts",
    services: &[&CARTS],
    ..Module::EMPTY
} }
