//! Flows on addresses of customers. Addresses of other customers are not found.

use atoll_customer::{
    CUSTOMERS, Customer, CustomerAddress, CustomerAddressPatch, add_address, address_of, change_address,
    remove_address,
};
use atoll_kernel::{Fault, Read, flow, flow::Local, serde_json::json};

use crate::points::{ADDRESSES_CREATED, ADDRESSES_DELETED, ADDRESSES_UPDATED, Addresses, Ids};

/// An address of a customer, and an input.
#[derive(Clone)]
pub struct AddressOf<T> {
    /// Id of the customer.
    pub customer_id: String,
    /// Id of the address.
    pub id: String,
    /// Input of the flow.
    pub input: T,
}

fn check<T>(tx: &dyn Read, of: &AddressOf<T>) -> Result<(), Fault> {
    let AddressOf { customer_id, id, .. } = of;
    match address_of(tx, customer_id, id)? {
        Some(_) => Ok(()),
        None => Err(Fault::not_found(format!("Address with id: {id} was not found"))),
    }
}

flow! {
    /// Adds an address. Event: `customer.updated`.
    pub static CREATE_CUSTOMER_ADDRESSES: Flow<CustomerAddress, Customer> =
        "create-customer-addresses" (create), hooks: &[&ADDRESSES_CREATED];
}

fn create(flow: &mut Local<'_>, address: CustomerAddress) -> Result<Customer, Fault> {
    let address = flow.step("create-customer-addresses", |tx, at| Ok(add_address(tx, at, address)?))?;
    flow.hook(&ADDRESSES_CREATED, || Addresses { addresses: vec![address.clone()] })?;
    changed(flow, &address.customer_id)
}

flow! {
    /// Changes an address. Event: `customer.updated`.
    pub static UPDATE_CUSTOMER_ADDRESSES: Flow<AddressOf<CustomerAddressPatch>, Customer> =
        "update-customer-addresses" (update), hooks: &[&ADDRESSES_UPDATED];
}

fn update(flow: &mut Local<'_>, of: AddressOf<CustomerAddressPatch>) -> Result<Customer, Fault> {
    check(flow.tx, &of)?;
    let AddressOf { customer_id, id, input } = of;
    let address = flow.step("update-customer-addresses", |tx, at| Ok(change_address(tx, at, &id, input)?))?;
    flow.hook(&ADDRESSES_UPDATED, || Addresses { addresses: vec![address.clone()] })?;
    changed(flow, &customer_id)
}

flow! {
    /// Removes an address. Event: `customer.updated`.
    pub static DELETE_CUSTOMER_ADDRESSES: Flow<AddressOf<()>, Customer> =
        "delete-customer-addresses" (delete), hooks: &[&ADDRESSES_DELETED];
}

fn delete(flow: &mut Local<'_>, of: AddressOf<()>) -> Result<Customer, Fault> {
    check(flow.tx, &of)?;
    flow.step("delete-customer-addresses", |tx, at| Ok(remove_address(tx, at, &of.id)?))?;
    flow.hook(&ADDRESSES_DELETED, || Ids::of(&[&of.id]))?;
    changed(flow, &of.customer_id)
}

/// Emits the event; returns the customer after the change.
fn changed(flow: &mut Local<'_>, customer_id: &str) -> Result<Customer, Fault> {
    flow.emit("customer.updated", json!({ "id": customer_id }))?;
    Ok(CUSTOMERS.retrieve(flow.tx, customer_id)?)
}
