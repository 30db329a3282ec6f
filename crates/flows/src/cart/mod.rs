//! Carts on their way to become orders.

mod add_line_item;
mod complete_cart;
mod create_cart;
mod line;
mod remove_line_item;
mod update_line_item;

pub use add_line_item::{AddLine, add_line_item};
pub use complete_cart::complete_cart;
pub use create_cart::{CreateCart, create_cart};
pub use remove_line_item::remove_line_item;
pub use update_line_item::update_line_item;
