//! A cart is in a region.

use atoll_cart::CART;
use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_region::REGION;

link! {
    /// A cart is in a region.
    pub static CART_REGION: FieldLink = FieldLink {
        from: CART,
        field: "region_id",
        relation: "region",
        many: false,
        to: REGION,
        back: None,
        // A cart whose region is gone has its currency still, and takes a new region.
        when_gone: WhenGone::Keep,
    };
}
