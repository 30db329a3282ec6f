//! Stock locations: warehouses and other places where stock is counted.

mod types;

use atoll_kernel::{
    data::{Module, Service},
    module,
};

pub use types::{StockLocation, StockLocationAddress, StockLocationPatch};

/// Entity name in links.
pub const STOCK_LOCATION: &str = "stock_location";

/// Stock locations. Names need not be unique.
pub static STOCK_LOCATIONS: Service<StockLocation> = Service::new(&[]);

module! { Module {
    name: "stock-location",
    summary: "Places where stock is counted",
    services: &[&STOCK_LOCATIONS],
    ..Module::EMPTY
} }
