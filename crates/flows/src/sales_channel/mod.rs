//! Sales channels, and what is sold in them.

mod create;
mod delete;
mod link_products;
mod update;

pub use create::create_sales_channel;
pub use delete::delete_sales_channel;
pub use link_products::{link_all, link_products_to_sales_channel};
pub use update::update_sales_channel;
