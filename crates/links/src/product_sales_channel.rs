//! A product is sold in sales channels, in each for as long as its window is open.

use atoll_kernel::{Column, End, LinkRow, Timestamp, link, serde_json::Value};
use atoll_product::PRODUCT;
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// A product is sold in sales channels.
    pub static PRODUCT_SALES_CHANNEL: Link("product_sales_channel", "prodsc") = {
        left: End {
            entity: PRODUCT,
            key: "product_id",
            alias: "product",
            others: Some("sales_channels"),
            rows: "sales_channels_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: SALES_CHANNEL,
            key: "sales_channel_id",
            alias: "sales_channel",
            others: None,
            rows: "products_link",
            many: true,
            cascade: false,
        },
        columns: &[
            Column { name: AVAILABLE_FROM, default: || Value::Null },
            Column { name: AVAILABLE_UNTIL, default: || Value::Null },
        ],
    };
}

/// The column that says from when on the channel sells the product; always, where it is null.
pub const AVAILABLE_FROM: &str = "available_from";
/// The column that says until when the channel sells the product (no longer at that moment); for ever, where it is null.
pub const AVAILABLE_UNTIL: &str = "available_until";

/// When a channel sells a product: from a moment on, until just before another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub from: Option<Timestamp>,
    /// The moment after the last.
    pub until: Option<Timestamp>,
}

impl Window {
    /// The window that a row says.
    pub fn of(row: &LinkRow) -> Window {
        let read = |name| row.data.get(name).and_then(Value::as_str).and_then(|it| it.parse().ok());
        Window { from: read(AVAILABLE_FROM), until: read(AVAILABLE_UNTIL) }
    }

    /// Is it open at this moment?
    pub fn is_open(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}
