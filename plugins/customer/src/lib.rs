//! Customers, with an account or as guests, their addresses and their groups.

mod error;
mod groups;
mod service;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    limits::CUSTOMER_BYTES_MAX,
    list_index, module,
    query::{OnDelete, Relation, Resolve, Visibility},
};

pub use error::Error;
pub use groups::{
    GroupChanges, change_groups, change_members, create_group, delete_group, groups_of, update_group,
};
pub use service::{
    add_address, address_of, change_address, create_customer, delete_customer, find_or_create_guest,
    remove_address, update_customer,
};
pub use types::{
    Customer, CustomerAddress, CustomerAddressPatch, CustomerGroup, CustomerGroupPatch, CustomerPatch,
};

/// Entity name in links.
pub const CUSTOMER: &str = "customer";

/// Entity name of groups in links.
pub const CUSTOMER_GROUP: &str = "customer_group";

const ADDRESS: &str = "customer_address";

/// Unique: per e-mail address at most one account and one guest.
const BY_EMAIL: Index<Customer> =
    Index::unique("customer.by_email", &["email", "has_account"], |it, keys| {
        keys.add(&[&it.email, account(it.has_account)]);
    });
pub(crate) const BY_CUSTOMER: Index<CustomerAddress> =
    Index::counted("customer_address.by_customer", &["customer_id"], |it, keys| keys.add(&[&it.customer_id]));

const BY_GROUP: Index<Customer> = Index::counted("customer.by_group", &["group_ids"], |it, keys| {
    it.group_ids.iter().for_each(|id| keys.add(&[id]));
});
const BY_NAME: Index<CustomerGroup> =
    Index::unique("customer_group.by_name", &["name"], |it, keys| keys.add(&[&it.name]));

const fn account(has_account: bool) -> &'static str {
    if has_account { "account" } else { "guest" }
}

/// The service of customers.
pub static CUSTOMERS: Service<Customer> =
    Service::new(&[BY_EMAIL, BY_GROUP]).visible(Visibility::OfCustomer("id")).at_most(CUSTOMER_BYTES_MAX);
/// Write through [`add_address`], [`change_address`] and [`remove_address`], which keep at most one default.
pub static ADDRESSES: Service<CustomerAddress> =
    Service::new(&[BY_CUSTOMER]).visible(Visibility::OfCustomer("customer_id")).at_most(CUSTOMER_BYTES_MAX);

/// Write through [`create_group`], [`update_group`] and [`delete_group`].
pub static CUSTOMER_GROUPS: Service<CustomerGroup> = Service::new(&[BY_NAME]).at_most(CUSTOMER_BYTES_MAX);

list_index! {
    /// Lists of customers, for admins.
    pub static CUSTOMER_LISTS = "customer" of CUSTOMERS {
        filters: ["has_account", "group_ids"],
        sorts: ["email", "created_at", "updated_at"],
        search: true,
    }
}

module! { Module {
    name: "customer",
    summary: "Customers, with an account or as guests, their addresses and their groups",
    services: &[&CUSTOMERS, &ADDRESSES, &CUSTOMER_GROUPS],
    relations: &[
        Relation::many(CUSTOMER, "addresses", ADDRESS, Resolve::Back("customer_id")),
        Relation::one(ADDRESS, "customer", CUSTOMER, Resolve::Field("customer_id")),
        // Customers may know their groups, and not who else is in them. A guest has typed an address, and may
        // not be whose it is.
        Relation {
            on_delete: OnDelete::Clear,
            reveals: true,
            followed_if: Some("has_account"),
            ..Relation::many(CUSTOMER, "groups", CUSTOMER_GROUP, Resolve::Field("group_ids"))
        },
        Relation::many(CUSTOMER_GROUP, "customers", CUSTOMER, Resolve::Back("group_ids")),
    ],
    is_optional: true,
    ..Module::EMPTY
} }
