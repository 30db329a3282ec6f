//! An order was placed by a customer.

use atoll_customer::CUSTOMER;
use atoll_kernel::{FieldLink, WhenGone, link};
use atoll_order::ORDER;

link! {
    /// An order was placed by a customer, who may be a guest.
    pub static ORDER_CUSTOMER: FieldLink = FieldLink {
        from: ORDER,
        field: "customer_id",
        relation: "customer",
        many: false,
        to: CUSTOMER,
        back: Some("orders"),
        // An order says who placed it.
        when_gone: WhenGone::Keep,
    };
}
