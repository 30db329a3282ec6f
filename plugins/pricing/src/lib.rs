//! Price sets: what something costs, by currency, quantity and rules.

mod calculate;
mod types;

use atoll_kernel::{Module, Service, module};

pub use calculate::{PriceContext, calculate};
pub use types::{Price, PriceSet};

/// The name of the entity in links.
pub const PRICE_SET: &str = "price_set";

/// The service of price sets.
pub static PRICE_SETS: Service<PriceSet> = Service::new(&[]);

module! { Module {
    name: "pricing",
    summary: "What something costs",
    services: &[&PRICE_SETS],
    ..Module::EMPTY
} }
