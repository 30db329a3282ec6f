//! Foreign key: the sales channel of an order.

use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_order::ORDER;
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// The sales channel of an order.
    pub static ORDER_SALES_CHANNEL: FieldLink = FieldLink {
        from: ORDER,
        field: "sales_channel_id",
        relation: "sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: Some("orders"),
        // An order is a historical record.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
