//! Flows on customers and their addresses.

mod addresses;

use atoll_auth::add_actor;
use atoll_customer::{CUSTOMER, CUSTOMERS, Customer, CustomerPatch};
use atoll_kernel::{Fault, flow, flow::Local, part_of, serde_json::json};

use crate::points::{CUSTOMERS_CREATED, CUSTOMERS_UPDATED, CustomerNow, Records, VALIDATE_CUSTOMER};

pub use addresses::{
    AddressOf, CREATE_CUSTOMER_ADDRESSES, DELETE_CUSTOMER_ADDRESSES, UPDATE_CUSTOMER_ADDRESSES,
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
    let customer = flow.step("update-customer", |tx, at| Ok(CUSTOMERS.update(tx, at, &id, patch)?))?;
    flow.emit("customer.updated", json!({ "id": customer.id }))?;
    flow.hook(&CUSTOMERS_UPDATED, || Records::one(&customer))?;
    Ok(customer)
}
