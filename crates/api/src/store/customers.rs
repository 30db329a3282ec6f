//! Store routes of customers and their addresses: `/store/customers`.

use std::sync::Arc;

use atoll_customer::{CustomerAddress, CustomerAddressPatch, CustomerPatch, address_of};
use atoll_flows::customer::{
    AddressOf, CREATE_CUSTOMER_ACCOUNT, CREATE_CUSTOMER_ADDRESSES, DELETE_CUSTOMER_ADDRESSES, NewAccount,
    UPDATE_CUSTOMER_ADDRESSES, UPDATE_CUSTOMERS,
};
use atoll_kernel::{
    Fault,
    http::{Answer, Body, Call, Deleted, Field, Params, Reply, Resource, Type, required},
    part_of,
    query::StoreFields,
    resources, routes,
};

use crate::{
    reply::{page, perform, perform_as, remove_from},
    tables::{CUSTOMER_ADDRESS, METADATA, ONE, any, list, text},
};

part_of! { "customer" }

routes! {
    of CUSTOMER;
    /// Creates the account of the customer whose identity was just registered.
    Post "/store/customers" (NewCustomer, ONE, CREATE) => create;
    /// Shows the customer who asks.
    Get "/store/customers/me" (Customer, ONE) => retrieve;
    /// Updates the customer who asks. Fields that are absent stay as they are.
    Post "/store/customers/me" (Customer, ONE, UPDATE) => update;
    /// Lists the addresses of the customer who asks.
    Get "/store/customers/me/addresses" (Customer, ADDRESSES) => addresses: Answer::Page(&ADDRESS);
    /// Adds an address to the customer who asks. There are at most 100.
    Post "/store/customers/me/addresses" (Customer, ONE, CUSTOMER_ADDRESS) => add_address;
    /// Shows an address of the customer who asks.
    Get "/store/customers/me/addresses/:address_id" (Customer, ONE) => address: Answer::One(&ADDRESS);
    /// Updates an address of the customer who asks. Fields that are absent stay as they are.
    Post "/store/customers/me/addresses/:address_id" (Customer, ONE, CUSTOMER_ADDRESS) => change_address;
    /// Deletes an address of the customer who asks.
    Delete "/store/customers/me/addresses/:address_id" (Customer, ONE) => remove_address: Answer::DeletedFrom(&CUSTOMER);
}

resources! { ADDRESS }

static CUSTOMER: Resource = Resource {
    entity: "customer",
    one: "customer",
    many: "customers",
    fields: &[
        "id", "email", "company_name", "first_name", "last_name", "phone", "metadata", "has_account",
        "deleted_at", "created_at", "updated_at", "*addresses",
    ],
    // Orders in the channels of the key only, as in the list of orders.
    store_fields: Some(StoreFields { whole: &["addresses", "orders"], parts: &["groups.id", "groups.name"] }),
    renamed: &[],
};

static ADDRESS: Resource = Resource {
    entity: "customer_address",
    one: "address",
    many: "addresses",
    fields: &[
        "id", "company", "customer_id", "first_name", "last_name", "address_1", "address_2", "city",
        "country_code", "province", "postal_code", "phone", "metadata", "is_default_shipping",
        "is_default_billing", "address_name", "created_at", "updated_at",
    ],
    store_fields: Some(StoreFields { whole: &[], parts: &[] }),
    renamed: &[],
};

const ABOUT: &[Field] =
    &[text("company_name"), text("first_name"), text("last_name"), text("phone"), METADATA];
const CREATE: Body = &[&[required("email", Type::Email)], ABOUT];
const UPDATE: Body = &[ABOUT];
const ADDRESSES: Params = list(&[any("city"), any("country_code"), any("postal_code")], 50);

/// Id of the customer who makes the request. The route admits customers only.
pub(crate) fn me(call: &Call) -> String {
    call.pass.actor.id().to_owned()
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    if call.pass.customer().is_some() {
        return Err(Fault::invalid("Request already authenticated as a customer."));
    }
    let identity = call.pass.login.as_ref().ok_or_else(Fault::unauthorized)?.identity.clone();
    let input = NewAccount { identity, customer: call.read()? };
    // The login of this request is not yet that of the customer.
    let plan = CUSTOMER.plan(&call).root_unconfined();
    perform_as(&plan, call, move |it| it.run(&CREATE_CUSTOMER_ACCOUNT, input)).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let found = CUSTOMER.plan(&call).find(&call.view, &me(&call))?;
    found.ok_or_else(Fault::unauthorized)
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let input = (me(&call), call.read::<CustomerPatch>()?);
    perform(&CUSTOMER, call, move |it| it.run(&UPDATE_CUSTOMERS, input)).await
}

async fn addresses(call: Call) -> Result<Reply, Fault> {
    page(&ADDRESS, &call, Vec::new())
}

async fn address(call: Call) -> Result<Reply, Fault> {
    let id = call.path("address_id");
    match address_of(&call.view, &me(&call), id)? {
        Some(it) => ADDRESS.plan(&call).show(&call.view, Arc::new(it)),
        None => Err(Fault::not_found(format!("Address with id: {id} was not found"))),
    }
}

async fn add_address(mut call: Call) -> Result<Reply, Fault> {
    let address = CustomerAddress { customer_id: me(&call), ..call.read()? };
    perform(&CUSTOMER, call, move |it| it.run(&CREATE_CUSTOMER_ADDRESSES, address)).await
}

/// The address of the path, of the customer who makes the request.
fn mine<T>(call: &Call, input: T) -> AddressOf<T> {
    AddressOf { customer_id: me(call), id: call.path("address_id").to_owned(), input }
}

async fn change_address(mut call: Call) -> Result<Reply, Fault> {
    let patch: CustomerAddressPatch = call.read()?;
    let of = mine(&call, patch);
    perform(&CUSTOMER, call, move |it| it.run(&UPDATE_CUSTOMER_ADDRESSES, of)).await
}

async fn remove_address(call: Call) -> Result<Reply, Fault> {
    let of = mine(&call, ());
    let gone = Deleted::new(of.id.as_str(), "address");
    remove_from(&CUSTOMER, call, gone, move |it| it.run(&DELETE_CUSTOMER_ADDRESSES, of)).await
}
