//! Link: variants that a sales channel does not sell, although it sells their products. Prices and other
//! links of the variant are kept.

use atoll_kernel::{data::End, link};
use atoll_product::VARIANT;
use atoll_sales_channel::SALES_CHANNEL;

link! {
    /// Variants that a sales channel does not sell, although it sells their products.
    pub static SALES_CHANNEL_EXCLUDED_VARIANT: Link("sales_channel_excluded_variant", "scexv") = {
        left: End {
            entity: SALES_CHANNEL,
            key: "sales_channel_id",
            alias: "sales_channel",
            others: Some("excluded_variants"),
            rows: "excluded_variants_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: VARIANT,
            key: "variant_id",
            alias: "variant",
            others: Some("excluded_from"),
            rows: "excluded_from_link",
            many: true,
            cascade: false,
        },
        counted: left,
    };
}
