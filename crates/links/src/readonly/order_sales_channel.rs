//! An order was placed in a sales channel.

use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_order::ORDER;
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// An order was placed in a sales channel.
    pub static ORDER_SALES_CHANNEL: FieldLink = FieldLink {
        from: ORDER,
        field: "sales_channel_id",
        relation: "sales_channel",
        many: false,
        to: SALES_CHANNEL,
        back: Some("orders"),
        // An order says where it was placed.
        when_gone: WhenGone::Keep,
    };
}
