//! Stock locations, and the channels that sell from them.

mod delete;

pub use delete::delete_stock_location;
