//! Sales channels: where the catalogue is sold.

mod types;

use atoll_kernel::{Module, Service, module};

pub use types::{SalesChannel, SalesChannelPatch};

/// The name of the entity in links.
pub const SALES_CHANNEL: &str = "sales_channel";

/// The service of sales channels. Names need not be unique, as on the wire.
pub static SALES_CHANNELS: Service<SalesChannel> = Service::new(&[]);

module! { Module {
    name: "sales-channel",
    summary: "Where the catalogue is sold",
    services: &[&SALES_CHANNELS],
    ..Module::EMPTY
} }
