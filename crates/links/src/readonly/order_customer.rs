//! Foreign key: the customer of an order.

use atoll_customer::CUSTOMER;
use atoll_kernel::{data::FieldLink, link, query::OnDelete};
use atoll_order::ORDER;

link! {
    /// The customer of an order, who may be a guest.
    pub static ORDER_CUSTOMER: FieldLink = FieldLink {
        from: ORDER,
        field: "customer_id",
        relation: "customer",
        many: false,
        to: CUSTOMER,
        back: Some("orders"),
        // An order is a historical record.
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}
