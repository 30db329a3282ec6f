//! Foreign key: the customer of a cart.

use atoll_cart::CART;
use atoll_customer::CUSTOMER;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};

link! {
    /// The customer of a cart, who may be a guest.
    pub static CART_CUSTOMER: FieldLink = FieldLink {
        from: CART,
        field: "customer_id",
        relation: "customer",
        many: false,
        to: CUSTOMER,
        back: None,
        // A cart of a deleted customer has its e-mail address, and is completed as that of a guest.
        on_delete: OnDelete::Keep,
        // Whoever has the id of a cart sees whose it is, as on the wire.
        reveals: true,
    };
}
