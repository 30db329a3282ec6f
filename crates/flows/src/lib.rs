//! Processes over several modules, one file each. Each is a function over one transaction: it does all of it,
//! or nothing.

pub mod cart;
pub mod catalogue;
mod first_run;
pub mod product;
pub mod sales_channel;
pub mod stock_location;

pub use first_run::{FirstRun, first_run};
