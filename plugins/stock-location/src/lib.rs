//! Stock locations: where things lie.

mod types;

use atoll_kernel::{Module, Service, module};

pub use types::{StockLocation, StockLocationAddress, StockLocationPatch};

/// The name of the entity in links.
pub const STOCK_LOCATION: &str = "stock_location";

/// The service of stock locations.
pub static STOCK_LOCATIONS: Service<StockLocation> = Service::new(&[]);

module! { Module {
    name: "stock-location",
    summary: "Where things lie",
    services: &[&STOCK_LOCATIONS],
    ..Module::EMPTY
} }
