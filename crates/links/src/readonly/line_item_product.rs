//! Foreign keys: the product and the variant of the lines of carts and orders.

use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_product::{PRODUCT, VARIANT};

const PRODUCT_OF_LINE: FieldLink = FieldLink {
    from: atoll_cart::LINE_ITEM,
    field: "product_id",
    relation: "product",
    many: false,
    to: PRODUCT,
    back: None,
    // A line records what was put into the cart. Whether that can still be bought is checked at checkout.
    on_delete: OnDelete::Keep,
    reveals: false,
};

const VARIANT_OF_LINE: FieldLink =
    FieldLink { field: "variant_id", relation: "variant", to: VARIANT, ..PRODUCT_OF_LINE };

link! {
    /// The product of a line of a cart.
    pub static CART_LINE_PRODUCT: FieldLink = PRODUCT_OF_LINE;
}

link! {
    /// The variant of a line of a cart.
    pub static CART_LINE_VARIANT: FieldLink = VARIANT_OF_LINE;
}

link! {
    /// The product of a line of an order.
    pub static ORDER_LINE_PRODUCT: FieldLink = FieldLink { from: atoll_order::LINE_ITEM, ..PRODUCT_OF_LINE };
}

link! {
    /// The variant of a line of an order.
    pub static ORDER_LINE_VARIANT: FieldLink = FieldLink { from: atoll_order::LINE_ITEM, ..VARIANT_OF_LINE };
}
