//! Link: the price set of a shipping option. It is deleted with the option (cascade).

use atoll_fulfillment::SHIPPING_OPTION;
use atoll_kernel::{data::End, link};
use atoll_pricing::PRICE_SET;

link! {
    /// The price set of a shipping option. It is deleted with the option (cascade).
    pub static SHIPPING_OPTION_PRICE_SET: Link("shipping_option_price_set", "sops") = {
        left: End {
            entity: SHIPPING_OPTION,
            key: "shipping_option_id",
            alias: "shipping_option",
            others: Some("price_set"),
            rows: "price_set_link",
            many: false,
            cascade: false,
        },
        right: End {
            entity: PRICE_SET,
            key: "price_set_id",
            alias: "price_set",
            others: Some("shipping_option"),
            rows: "shipping_option_link",
            many: false,
            cascade: true,
        },
    };
}
