//! Flows on customers, their addresses and their groups.

mod addresses;
mod groups;

use atoll_auth::{add_actor, remove_login};
use atoll_customer::{
    CUSTOMER, CUSTOMERS, Customer, CustomerPatch, create_customer, delete_customer, update_customer,
};
use atoll_kernel::{Fault, flow, flow::Local, part_of, serde_json::json};

use crate::points::{
    CUSTOMERS_CREATED, CUSTOMERS_DELETED, CUSTOMERS_UPDATED, CustomerNow, Ids, Records, VALIDATE_CUSTOMER,
    VALIDATE_CUSTOMERS, VALIDATE_IDS,
};

pub use addresses::{
    AddressOf, CREATE_CUSTOMER_ADDRESSES, DELETE_CUSTOMER_ADDRESSES, UPDATE_CUSTOMER_ADDRESSES,
};
pub use groups::{
    CREATE_CUSTOMER_GROUPS, DELETE_CUSTOMER_GROUPS, LINK_CUSTOMER_GROUPS_TO_CUSTOMER,
    LINK_CUSTOMERS_TO_CUSTOMER_GROUP, UPDATE_CUSTOMER_GROUPS,
};

part_of! { "customer" }

/// A registered identity, and the customer account to create for it.
#[derive(Clone)]
pub struct NewAccount {
    /// Id of the auth identity.
    pub identity: String,
    /// The customer.
    pub customer: Customer,
}

flow! {
    /// Creates the customer account of a registered identity. Event: `customer.created`.
    pub static CREATE_CUSTOMER_ACCOUNT: Flow<NewAccount, Customer> =
        "create-customer-account" (create), hooks: &[&VALIDATE_CUSTOMER, &CUSTOMERS_CREATED];
}

fn create(flow: &mut Local<'_>, NewAccount { identity, customer }: NewAccount) -> Result<Customer, Fault> {
    flow.hook(&VALIDATE_CUSTOMER, || CustomerNow { customer: customer.clone() })?;
    let customer = flow.step("create-customers", |tx, at| {
        let email = customer.email.trim().to_lowercase();
        Ok(CUSTOMERS.create(tx, at, Customer { email, has_account: true, ..customer })?)
    })?;
    flow.step("set-auth-app-metadata", |tx, at| Ok(add_actor(tx, at, &identity, CUSTOMER, &customer.id)?))?;
    flow.emit("customer.created", json!({ "id": customer.id }))?;
    flow.hook(&CUSTOMERS_CREATED, || Records::one(&customer))?;
    Ok(customer)
}

flow! {
    /// Updates a customer. Event: `customer.updated`.
    pub static UPDATE_CUSTOMERS: Flow<(String, CustomerPatch), Customer> =
        "update-customers" (update), hooks: &[&CUSTOMERS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, CustomerPatch)) -> Result<Customer, Fault> {
    let customer = flow.step("update-customer", |tx, at| Ok(update_customer(tx, at, &id, patch)?))?;
    flow.emit("customer.updated", json!({ "id": customer.id }))?;
    flow.hook(&CUSTOMERS_UPDATED, || Records::one(&customer))?;
    Ok(customer)
}

flow! {
    /// Creates customers without accounts, for admins. Event: `customer.created`, for each.
    pub static CREATE_CUSTOMERS: Flow<Vec<Customer>, Vec<Customer>> =
        "create-customers" (create_all), hooks: &[&VALIDATE_CUSTOMERS, &CUSTOMERS_CREATED];
}

fn create_all(flow: &mut Local<'_>, customers: Vec<Customer>) -> Result<Vec<Customer>, Fault> {
    flow.hook(&VALIDATE_CUSTOMERS, || Records::of(&customers))?;
    let created: Vec<Customer> = flow.step("create-customers", |tx, at| {
        customers.into_iter().map(|it| Ok(create_customer(tx, at, it)?)).collect::<Result<_, Fault>>()
    })?;
    for customer in &created {
        flow.emit("customer.created", json!({ "id": customer.id }))?;
    }
    flow.hook(&CUSTOMERS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Soft-deletes customers with their addresses; who has an account cannot log in any more. Their carts
    /// and orders stay. Event: `customer.deleted`, for each.
    pub static DELETE_CUSTOMERS: Flow<Vec<String>, ()> =
        "delete-customers" (delete_all), hooks: &[&VALIDATE_IDS, &CUSTOMERS_DELETED];
}

fn delete_all(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-customers", |tx, at| {
        for id in &ids {
            delete_customer(tx, at, id)?;
            remove_login(tx, at, CUSTOMER, id)?;
        }
        Ok(())
    })?;
    for id in &ids {
        flow.emit("customer.deleted", json!({ "id": id }))?;
    }
    flow.hook(&CUSTOMERS_DELETED, || Ids::of(&ids))?;
    Ok(())
}
