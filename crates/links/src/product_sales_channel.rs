//! Link: a product is sold in sales channels, in each within an availability window.

use atoll_kernel::{
    Now, Timestamp,
    data::{Column, End, FieldKind, LinkRow},
    link,
    serde_json::{Map, Value, json},
};
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
        counted: right,
        columns: &[
            Column {
                name: AVAILABLE_FROM,
                kind: FieldKind::OrNull(&FieldKind::Time),
                text: "The start of the availability window, inclusive. Null: no start.",
                default: || Value::Null,
            },
            Column {
                name: AVAILABLE_UNTIL,
                kind: FieldKind::OrNull(&FieldKind::Time),
                text: "The end of the availability window, exclusive. Null: no end.",
                default: || Value::Null,
            },
        ],
    };
}

/// Column: the start of the availability window, inclusive. Null: no start.
pub const AVAILABLE_FROM: &str = "available_from";
/// Column: the end of the availability window, exclusive. Null: no end.
pub const AVAILABLE_UNTIL: &str = "available_until";

/// The availability window of a product in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The start, inclusive; `None`: no start.
    pub from: Option<Timestamp>,
    /// The end, exclusive; `None`: no end.
    pub until: Option<Timestamp>,
}

impl Window {
    /// Reads the window from the columns of a row of the link.
    pub fn of(row: &LinkRow) -> Window {
        let read = |name| row.data.get(name).and_then(Value::as_str).and_then(|it| it.parse().ok());
        Window { from: read(AVAILABLE_FROM), until: read(AVAILABLE_UNTIL) }
    }

    /// The columns of a row of the link with this window.
    pub fn columns(self) -> Map<String, Value> {
        let columns = [(AVAILABLE_FROM, json!(self.from)), (AVAILABLE_UNTIL, json!(self.until))];
        columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Does the window contain this time?
    pub fn is_open(self, at: Timestamp) -> bool {
        self.is_open_now(&at.into())
    }

    /// As `is_open`, at the time of a request.
    pub fn is_open_now(self, now: &Now) -> bool {
        self.from.is_none_or(|from| now.has_reached(from))
            && self.until.is_none_or(|until| !now.has_reached(until))
    }
}
