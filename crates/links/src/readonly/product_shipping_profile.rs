//! Foreign key: the shipping profile of a product.

use atoll_fulfillment::SHIPPING_PROFILE;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_product::PRODUCT;

link! {
    /// The shipping profile of a product: the goods that it is shipped with.
    pub static PRODUCT_SHIPPING_PROFILE: FieldLink = FieldLink {
        from: PRODUCT,
        field: "shipping_profile_id",
        relation: "shipping_profile",
        many: false,
        to: SHIPPING_PROFILE,
        back: Some("products"),
        // A profile that products have cannot be deleted.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
