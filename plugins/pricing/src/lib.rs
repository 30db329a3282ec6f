//! Price sets: prices by currency, quantity range and rules.

mod calculate;
mod types;

use atoll_kernel::{
    data::{Module, Service},
    module,
};

pub use calculate::{PriceContext, calculate};
pub use types::{Price, PriceSet};

/// Entity name in links.
pub const PRICE_SET: &str = "price_set";

/// One price set per variant, linked from outside of this module.
pub static PRICE_SETS: Service<PriceSet> = Service::new(&[]);

module! { Module {
    name: "pricing",
    summary: "Prices by currency, quantity and rules",
    services: &[&PRICE_SETS],
    ..Module::EMPTY
} }
