//! Foreign key: the region of a cart.

use atoll_cart::CART;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_region::REGION;

link! {
    /// The region of a cart.
    pub static CART_REGION: FieldLink = FieldLink {
        from: CART,
        field: "region_id",
        relation: "region",
        many: false,
        to: REGION,
        back: None,
        // Without its region a cart keeps its currency, and can be given another region.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
