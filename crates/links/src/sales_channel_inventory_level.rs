//! Link: the safety stock of single inventory items, each at a location, in a sales channel.

use atoll_inventory::INVENTORY_LEVEL;
use atoll_kernel::{
    data::{Column, End, FieldKind},
    link,
    serde_json::Value,
};
use atoll_sales_channel::SALES_CHANNEL;

use crate::SAFETY_STOCK;

link! {
    /// The levels whose item has a safety stock of its own in a sales channel. It counts instead of that of
    /// the location ([`SALES_CHANNEL_STOCK_LOCATION`](crate::SALES_CHANNEL_STOCK_LOCATION)), and may be
    /// smaller. A location that leaves the channel keeps it, and has it again when it comes back.
    pub static SALES_CHANNEL_INVENTORY_LEVEL: Link("sales_channel_inventory_level", "sclev") = {
        left: End {
            entity: SALES_CHANNEL,
            key: "sales_channel_id",
            alias: "sales_channel",
            others: None,
            rows: "safety_stocks",
            many: true,
            cascade: false,
        },
        right: End {
            entity: INVENTORY_LEVEL,
            key: "inventory_level_id",
            alias: "inventory_level",
            others: None,
            rows: "safety_stocks",
            many: true,
            cascade: false,
        },
        // A channel without any reads none of them.
        counted: left,
        columns: &[Column {
            name: SAFETY_STOCK,
            kind: FieldKind::Decimal,
            text: "The quantity of the item that the channel does not sell from the location.",
            default: || Value::from(0),
        }],
    };
}
