//! An order was placed in a region.

use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_order::ORDER;
use atoll_region::REGION;

link! {
    /// An order was placed in a region.
    pub static ORDER_REGION: FieldLink = FieldLink {
        from: ORDER,
        field: "region_id",
        relation: "region",
        many: false,
        to: REGION,
        back: None,
        // An order says where it was placed.
        when_gone: WhenGone::Keep,
    };
}
