//! Foreign key: the region of an order.

use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_order::ORDER;
use atoll_region::REGION;

link! {
    /// The region of an order.
    pub static ORDER_REGION: FieldLink = FieldLink {
        from: ORDER,
        field: "region_id",
        relation: "region",
        many: false,
        to: REGION,
        back: None,
        // An order is a historical record.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
