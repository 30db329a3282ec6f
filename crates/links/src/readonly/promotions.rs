//! Foreign keys: the promotions that give discounts on a cart or an order.

use atoll_cart::CART;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_order::ORDER;
use atoll_promotion::PROMOTION;

const PROMOTIONS: FieldLink = FieldLink {
    from: CART,
    field: "promotion_ids",
    relation: "promotions",
    many: true,
    to: PROMOTION,
    back: None,
    // A cart is calculated anew without a promotion that was deleted; an order keeps its discounts.
    on_delete: OnDelete::Keep,
    // The buyer sees what gives the discounts.
    reveals: true,
};

link! {
    /// The promotions that give discounts on a cart.
    pub static CART_PROMOTIONS: FieldLink = PROMOTIONS;
}

link! {
    /// The promotions that gave discounts on an order.
    pub static ORDER_PROMOTIONS: FieldLink = FieldLink { from: ORDER, ..PROMOTIONS };
}
