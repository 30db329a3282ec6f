//! Link: the payment providers of a region.

use atoll_kernel::{data::End, link};
use atoll_payment::PAYMENT_PROVIDER;
use atoll_region::REGION;

link! {
    /// The payment providers that customers of a region can choose from.
    pub static REGION_PAYMENT_PROVIDER: Link("region_payment_provider", "regpp") = {
        left: End {
            entity: REGION,
            key: "region_id",
            alias: "region",
            others: Some("payment_providers"),
            rows: "payment_provider_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: PAYMENT_PROVIDER,
            key: "payment_provider_id",
            alias: "payment_provider",
            others: Some("regions"),
            rows: "region_link",
            many: true,
            cascade: false,
        },
    };
}
