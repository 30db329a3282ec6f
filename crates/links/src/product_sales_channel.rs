//! A product is sold in sales channels.

use atoll_kernel::{End, link};
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
    };
}
