//! Processes over several modules, one file each: flows, which are one transaction, and sagas, which also
//! call the outside. All of it is done, or nothing.

pub mod api_key;
pub mod cart;
pub mod customer;
mod events;
mod first_run;
pub mod fulfillment;
pub mod inventory;
pub mod notification;
pub mod order;
pub mod payment;
pub mod points;
pub mod pricing;
pub mod product;
pub mod promotion;
mod records;
pub mod region;
pub mod reservation;
pub mod sales_channel;
pub mod stock_location;
pub mod store;
pub mod tax;
pub mod user;
mod verify;

pub use first_run::{FirstRun, first_run};
