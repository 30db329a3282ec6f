//! A sales channel sells what lies at its stock locations.

use atoll_kernel::{End, link};
use atoll_sales_channel::SALES_CHANNEL;
use atoll_stock_location::STOCK_LOCATION;

link! {
    /// A sales channel sells what lies at its stock locations.
    pub static SALES_CHANNEL_STOCK_LOCATION: Link("sales_channel_stock_location", "scloc") = {
        left: End {
            entity: SALES_CHANNEL,
            key: "sales_channel_id",
            alias: "sales_channel",
            others: Some("stock_locations"),
            rows: "locations_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: STOCK_LOCATION,
            key: "stock_location_id",
            alias: "location",
            others: Some("sales_channels"),
            rows: "sales_channels_link",
            many: true,
            cascade: false,
        },
    };
}
