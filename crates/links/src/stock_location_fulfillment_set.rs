//! Link: the fulfilment sets of a stock location.

use atoll_fulfillment::FULFILLMENT_SET;
use atoll_kernel::{data::End, link};
use atoll_stock_location::STOCK_LOCATION;

link! {
    /// The fulfilment sets of a stock location: what it ships, and where to. A set is of one location.
    pub static STOCK_LOCATION_FULFILLMENT_SET: Link("stock_location_fulfillment_set", "locfs") = {
        left: End {
            entity: STOCK_LOCATION,
            key: "stock_location_id",
            alias: "location",
            others: Some("fulfillment_sets"),
            rows: "fulfillment_sets_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: FULFILLMENT_SET,
            key: "fulfillment_set_id",
            alias: "fulfillment_set",
            others: Some("location"),
            rows: "location_link",
            many: false,
            cascade: false,
        },
    };
}
