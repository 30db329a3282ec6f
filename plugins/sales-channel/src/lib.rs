//! Sales channels: where the catalogue is sold.

mod types;

use atoll_kernel::{
    data::{Module, Service},
    feature_flag, module,
    query::Visibility,
};

pub use types::{SalesChannel, SalesChannelPatch};

/// Entity name in links.
pub const SALES_CHANNEL: &str = "sales_channel";

/// Sales channels. Names need not be unique, as on the wire.
pub static SALES_CHANNELS: Service<SalesChannel> = Service::new(&[]).visible(Visibility::OfChannel("id"));

feature_flag! {
    /// Sales channels as a feature. While it is off, the shop sells its whole catalogue to every key, and
    /// carts and orders carry no channel; existing channels are kept unchanged.
    pub static SALES_CHANNELS_FLAG = "sales_channels", default: true;
}

module! { Module {
    name: "sales-channel",
    summary: "Places where the catalogue is sold",
    services: &[&SALES_CHANNELS],
    ..Module::EMPTY
} }
