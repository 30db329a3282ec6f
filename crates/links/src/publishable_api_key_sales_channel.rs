//! Link: the sales channels to which a publishable key confines a storefront.

use atoll_api_key::API_KEY;
use atoll_kernel::{data::End, link};
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// The sales channels to which a publishable key confines a storefront.
    pub static PUBLISHABLE_API_KEY_SALES_CHANNEL: Link("publishable_api_key_sales_channel", "pksc") = {
        left: End {
            entity: API_KEY,
            key: "publishable_key_id",
            alias: "api_key",
            others: Some("sales_channels"),
            rows: "sales_channels_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: SALES_CHANNEL,
            key: "sales_channel_id",
            alias: "sales_channel",
            others: Some("publishable_api_keys"),
            rows: "api_keys_link",
            many: true,
            cascade: false,
        },
    };
}
