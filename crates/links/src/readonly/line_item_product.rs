//! The lines of carts and orders are of variants, and these of products.

use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_product::{PRODUCT, VARIANT};

const PRODUCT_OF_LINE: FieldLink = FieldLink {
    from: atoll_cart::LINE_ITEM,
    field: "product_id",
    relation: "product",
    many: false,
    to: PRODUCT,
    back: None,
    // A line says what was put into it; whether that can still be bought is asked when it is.
    when_gone: WhenGone::Keep,
};

const VARIANT_OF_LINE: FieldLink =
    FieldLink { field: "variant_id", relation: "variant", to: VARIANT, ..PRODUCT_OF_LINE };

link! {
    /// A line of a cart is of a product.
    pub static CART_LINE_PRODUCT: FieldLink = PRODUCT_OF_LINE;
}

link! {
    /// A line of a cart is of a variant.
    pub static CART_LINE_VARIANT: FieldLink = VARIANT_OF_LINE;
}

link! {
    /// A line of an order is of a product.
    pub static ORDER_LINE_PRODUCT: FieldLink = FieldLink { from: atoll_order::LINE_ITEM, ..PRODUCT_OF_LINE };
}

link! {
    /// A line of an order is of a variant.
    pub static ORDER_LINE_VARIANT: FieldLink = FieldLink { from: atoll_order::LINE_ITEM, ..VARIANT_OF_LINE };
}
