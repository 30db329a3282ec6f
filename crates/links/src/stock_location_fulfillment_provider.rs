//! Link: the fulfilment providers that ship from a stock location.

use atoll_fulfillment::FULFILLMENT_PROVIDER;
use atoll_kernel::{data::End, link};
use atoll_stock_location::STOCK_LOCATION;

link! {
    /// The fulfilment providers that ship from a stock location. The shipping options of others are not
    /// offered there.
    pub static STOCK_LOCATION_FULFILLMENT_PROVIDER: Link("stock_location_fulfillment_provider", "locfp") = {
        left: End {
            entity: STOCK_LOCATION,
            key: "stock_location_id",
            alias: "stock_location",
            others: Some("fulfillment_providers"),
            rows: "fulfillment_provider_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: FULFILLMENT_PROVIDER,
            key: "fulfillment_provider_id",
            alias: "fulfillment_provider",
            others: Some("locations"),
            rows: "locations_link",
            many: true,
            cascade: false,
        },
    };
}
