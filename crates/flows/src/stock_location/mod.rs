//! Creating, updating and deleting stock locations.

mod delete;
mod save;

pub use delete::DELETE_STOCK_LOCATIONS;
pub use save::{CREATE_STOCK_LOCATIONS, LocationChanges, UPDATE_STOCK_LOCATIONS};
