//! Customers, with an account or as guests, and their addresses.

mod error;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    limits::CUSTOMER_BYTES_MAX,
    module,
    query::{Relation, Resolve, Visibility},
};

pub use error::Error;
pub use service::{add_address, address_of, change_address, find_or_create_guest, remove_address};
pub use types::{Customer, CustomerAddress, CustomerAddressPatch, CustomerPatch};

/// Entity name in links.
pub const CUSTOMER: &str = "customer";

const ADDRESS: &str = "customer_address";

/// Unique: per e-mail address at most one account and one guest.
const BY_EMAIL: Index<Customer> =
    Index::unique("customer.by_email", &["email", "has_account"], |it, keys| {
        keys.add(&[&it.email, account(it.has_account)]);
    });
pub(crate) const BY_CUSTOMER: Index<CustomerAddress> =
    Index::counted("customer_address.by_customer", &["customer_id"], |it, keys| keys.add(&[&it.customer_id]));

const fn account(has_account: bool) -> &'static str {
    if has_account { "account" } else { "guest" }
}

/// The service of customers.
pub static CUSTOMERS: Service<Customer> =
    Service::new(&[BY_EMAIL]).visible(Visibility::OfCustomer("id")).at_most(CUSTOMER_BYTES_MAX);
/// Write through [`add_address`], [`change_address`] and [`remove_address`], which keep at most one default.
pub static ADDRESSES: Service<CustomerAddress> =
    Service::new(&[BY_CUSTOMER]).visible(Visibility::OfCustomer("customer_id")).at_most(CUSTOMER_BYTES_MAX);

module! { Module {
    name: "customer",
    summary: "Customers, with an account or as guests, and their addresses",
    services: &[&CUSTOMERS, &ADDRESSES],
    relations: &[
        Relation::many(CUSTOMER, "addresses", ADDRESS, Resolve::Back("customer_id")),
        Relation::one(ADDRESS, "customer", CUSTOMER, Resolve::Field("customer_id")),
    ],
    is_optional: true,
    ..Module::EMPTY
} }
