//! Carts on their way to become orders.

mod add_line_item;
mod complete_cart;
mod create_cart;
mod line;
mod remove_line_item;
mod update_cart;
mod update_line_item;

use atoll_availability::ChannelScope;

pub use add_line_item::{ADD_TO_CART, AddLine, AddToCart};
pub use complete_cart::{COMPLETE_CART, CompleteCart};
pub use create_cart::{CREATE_CART, CreateCart};
pub use remove_line_item::{DELETE_LINE_ITEMS, DeleteLineItems};
pub use update_cart::{UPDATE_CART, UpdateCart};
pub use update_line_item::{UPDATE_LINE_ITEM, UpdateLineItem};

/// What a storefront asks for, and what it may reach.
#[derive(Clone, Debug)]
pub struct Scoped<T> {
    /// What it may reach.
    pub scope: ChannelScope,
    /// What it asks for.
    pub input: T,
}
