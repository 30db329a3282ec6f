//! Link: the price set of a variant. It is deleted with the variant (cascade).

use atoll_kernel::{data::End, link};
use atoll_pricing::PRICE_SET;
use atoll_product::VARIANT;

link! {
    /// The price set of a variant. It is deleted with the variant (cascade).
    pub static PRODUCT_VARIANT_PRICE_SET: Link("product_variant_price_set", "pvps") = {
        left: End {
            entity: VARIANT,
            key: "variant_id",
            alias: "variant",
            others: Some("price_set"),
            rows: "price_set_link",
            many: false,
            cascade: false,
        },
        right: End {
            entity: PRICE_SET,
            key: "price_set_id",
            alias: "price_set",
            others: Some("variant"),
            rows: "variant_link",
            many: false,
            cascade: true,
        },
    };
}
