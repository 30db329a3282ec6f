//! A sales channel sells what lies at its stock locations, from some of them first, and not to the last piece.

use atoll_kernel::{Column, Decimal, End, LinkRow, link, serde_json::Value};
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
        columns: &[
            Column { name: PRIORITY, default: || Value::from(0) },
            Column { name: SAFETY_STOCK, default: || Value::from(0) },
        ],
    };
}

/// The column that says how late a channel takes from a location: the smallest number comes first.
pub const PRIORITY: &str = "priority";
/// The column that says how much of each item a channel leaves at a location.
pub const SAFETY_STOCK: &str = "safety_stock";

/// How late the channel takes from the location.
pub fn priority(row: &LinkRow) -> i64 {
    row.data.get(PRIORITY).and_then(Value::as_i64).unwrap_or_default()
}

/// How much of each item the channel leaves at the location.
pub fn safety_stock(row: &LinkRow) -> Decimal {
    let stored = row.data.get(SAFETY_STOCK).and_then(Value::as_number);
    stored.and_then(Decimal::from_json).unwrap_or_default().max(Decimal::ZERO)
}
