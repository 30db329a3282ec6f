//! Link: the stock locations that a sales channel sells from, in order of priority and down to a safety
//! stock.

use atoll_kernel::{
    Decimal,
    data::{Column, End, FieldKind, LinkRow},
    link,
    serde_json::Value,
};
use atoll_sales_channel::SALES_CHANNEL;
use atoll_stock_location::STOCK_LOCATION;

link! {
    /// The stock locations that a sales channel sells from.
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
            Column {
                name: PRIORITY,
                kind: FieldKind::Decimal,
                text: "The priority of the location. The smallest number is used first.",
                default: || Value::from(0),
            },
            Column {
                name: SAFETY_STOCK,
                kind: FieldKind::Decimal,
                text: "The quantity of each item that the channel does not sell from the location.",
                default: || Value::from(0),
            },
        ],
    };
}

/// Column: the priority of the location. The smallest number is used first.
pub const PRIORITY: &str = "priority";
/// Column: the safety stock, the quantity of each item that the channel does not sell from the location; in
/// [`SALES_CHANNEL_INVENTORY_LEVEL`](crate::SALES_CHANNEL_INVENTORY_LEVEL) that of one item.
pub const SAFETY_STOCK: &str = "safety_stock";

/// The priority of the location; the smallest number is used first.
pub fn priority(row: &LinkRow) -> i64 {
    row.data.get(PRIORITY).and_then(Value::as_i64).unwrap_or_default()
}

/// The safety stock in a row of either link.
pub fn safety_stock(row: &LinkRow) -> Decimal {
    let stored = row.data.get(SAFETY_STOCK).and_then(Value::as_number);
    stored.and_then(Decimal::from_json).unwrap_or_default().max(Decimal::ZERO)
}
