//! Stock locations, and the channels that sell from them.

mod delete;

pub use delete::DELETE_STOCK_LOCATIONS;
