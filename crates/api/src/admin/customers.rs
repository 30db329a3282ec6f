//! Admin routes of customers, their addresses and groups: `/admin/customers`.

use std::sync::Arc;

use atoll_customer::{ADDRESSES, CUSTOMERS, CustomerAddress, CustomerAddressPatch, address_of};
use atoll_flows::customer::{
    AddressOf, CREATE_CUSTOMER_ADDRESSES, CREATE_CUSTOMERS, DELETE_CUSTOMER_ADDRESSES, DELETE_CUSTOMERS,
    LINK_CUSTOMER_GROUPS_TO_CUSTOMER, UPDATE_CUSTOMER_ADDRESSES, UPDATE_CUSTOMERS,
};
use atoll_kernel::{
    Fault,
    http::{
        Answer, Body, Call, Deleted, Field, Param, ParamKind, Params, Reply, Resource, Type, optional,
        required,
    },
    part_of,
    query::Where,
    resources, routes,
};

use crate::{
    crud::crud,
    reply::{link_ids, page, perform, remove_from},
    tables::{CUSTOMER_ADDRESS, LINK, METADATA, ONE, any, date, flag, list, text},
};

part_of! { "customer" }

crud! {
    of CUSTOMER at "/admin/customers" for Admin;
    called "a customer" / "customers";
    not_found "Customer with id: {} not found";
    page LIST;
    find ONE;
    /// It has no account. E-mail addresses are compared without case.
    create ONE, CREATE by CREATE_CUSTOMERS;
    update ONE, UPDATE by UPDATE_CUSTOMERS;
    /// Its addresses go with it, and it cannot log in any more; its orders stay.
    delete "customer" by DELETE_CUSTOMERS;
}

routes! {
    of CUSTOMER;
    /// Adds a customer to customer groups, and removes it from others. It is in 100 at most.
    Post "/admin/customers/:id/customer-groups" (Admin, ONE, LINK) => link_groups;
    /// Lists the addresses of a customer.
    Get "/admin/customers/:id/addresses" (Admin, ADDRESS_LIST) => addresses: Answer::Page(&ADDRESS);
    /// Adds an address to a customer. There are at most 100.
    Post "/admin/customers/:id/addresses" (Admin, ONE, CUSTOMER_ADDRESS) => add_address;
    /// Shows an address of a customer.
    Get "/admin/customers/:id/addresses/:address_id" (Admin, ONE) => address: Answer::One(&ADDRESS);
    /// Updates an address of a customer. Fields that are absent stay as they are.
    Post "/admin/customers/:id/addresses/:address_id" (Admin, ONE, CUSTOMER_ADDRESS) => change_address;
    /// Deletes an address of a customer.
    Delete "/admin/customers/:id/addresses/:address_id" (Admin, ONE) => remove_address: Answer::DeletedFrom(&CUSTOMER);
}

resources! { ADDRESS }

static CUSTOMER: Resource = Resource {
    entity: "customer",
    one: "customer",
    many: "customers",
    fields: &[
        "id", "company_name", "first_name", "last_name", "email", "phone", "metadata", "has_account",
        "created_by", "created_at", "updated_at", "deleted_at",
    ],
    store_fields: None,
    renamed: &[],
};

static ADDRESS: Resource = Resource {
    entity: "customer_address",
    one: "address",
    many: "addresses",
    fields: &[
        "id", "address_name", "company", "customer_id", "first_name", "last_name", "address_1", "address_2",
        "city", "province", "postal_code", "country_code", "phone", "metadata", "created_at", "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("email"),
        Param::new("groups", ParamKind::Related(&[any("id"), any("name")])),
        any("company_name"),
        any("first_name"),
        any("last_name"),
        flag("has_account"),
        any("created_by"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);
const ADDRESS_LIST: Params =
    list(&[any("company"), any("city"), any("country_code"), any("province"), any("postal_code")], 50);

const CREATE: Body = &[&[required("email", Type::Email)], ABOUT];
const UPDATE: Body = &[&[optional("email", Type::Email)], ABOUT];
const ABOUT: &[Field] =
    &[text("company_name"), text("first_name"), text("last_name"), text("phone"), METADATA];

async fn link_groups(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&CUSTOMER, call, move |flow| flow.run(&LINK_CUSTOMER_GROUPS_TO_CUSTOMER, ids)).await
}

async fn addresses(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id");
    if !CUSTOMERS.table.exists(&call.view, id)? {
        return Err(Fault::not_found(not_found(id)));
    }
    let of_customer = Where { table: &ADDRESSES.table, field: "customer_id", value: id.to_owned() };
    page(&ADDRESS, &call, vec![Box::new(of_customer)])
}

async fn address(call: Call) -> Result<Reply, Fault> {
    let id = call.path("address_id");
    match address_of(&call.view, call.path("id"), id)? {
        Some(it) => ADDRESS.plan(&call).show(&call.view, Arc::new(it)),
        None => Err(Fault::not_found(format!("Address with id: {id} was not found"))),
    }
}

async fn add_address(mut call: Call) -> Result<Reply, Fault> {
    let customer_id = call.path("id").to_owned();
    let address = CustomerAddress { customer_id, ..call.read()? };
    perform(&CUSTOMER, call, move |it| it.run(&CREATE_CUSTOMER_ADDRESSES, address)).await
}

/// The address of the path, of the customer of the path.
fn named<T>(call: &Call, input: T) -> AddressOf<T> {
    AddressOf { customer_id: call.path("id").to_owned(), id: call.path("address_id").to_owned(), input }
}

async fn change_address(mut call: Call) -> Result<Reply, Fault> {
    let patch: CustomerAddressPatch = call.read()?;
    let of = named(&call, patch);
    perform(&CUSTOMER, call, move |it| it.run(&UPDATE_CUSTOMER_ADDRESSES, of)).await
}

async fn remove_address(call: Call) -> Result<Reply, Fault> {
    let of = named(&call, ());
    let gone = Deleted::new(of.id.as_str(), "customer_address");
    remove_from(&CUSTOMER, call, gone, move |it| it.run(&DELETE_CUSTOMER_ADDRESSES, of)).await
}
