//! A cart is of a customer.

use atoll_cart::CART;
use atoll_customer::CUSTOMER;
use atoll_kernel::{FieldLink, WhenGone, link};

link! {
    /// A cart is of a customer, who may be a guest.
    pub static CART_CUSTOMER: FieldLink = FieldLink {
        from: CART,
        field: "customer_id",
        relation: "customer",
        many: false,
        to: CUSTOMER,
        back: None,
        // No route deletes customers; a module that does says what becomes of their carts.
        when_gone: WhenGone::Keep,
    };
}
