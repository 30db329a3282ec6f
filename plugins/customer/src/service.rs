//! Creating, changing and deleting customers; guests by e-mail address; the addresses of customers.

use atoll_kernel::{Moment, Read, StoreError, Write, data::RowError, limits::ADDRESSES_MAX};

use crate::{
    ADDRESSES, BY_CUSTOMER, BY_EMAIL, CUSTOMERS, Customer, CustomerAddress, CustomerAddressPatch,
    CustomerPatch, Error, account,
};

/// The guest with this e-mail address; created if there is none.
pub fn find_or_create_guest(tx: &mut dyn Write, at: &Moment, email: &str) -> Result<Customer, RowError> {
    let email = email.trim().to_lowercase();
    match CUSTOMERS.table.get_by(tx, &BY_EMAIL, &[&email, account(false)])? {
        Some(guest) => Ok(guest),
        None => CUSTOMERS.create(tx, at, Customer { email, ..Customer::default() }),
    }
}

/// Creates a customer without an account, for an admin.
pub fn create_customer(tx: &mut dyn Write, at: &Moment, customer: Customer) -> Result<Customer, RowError> {
    let email = customer.email.trim().to_lowercase();
    let created_by = Some(at.actor().id().to_owned());
    CUSTOMERS.create(tx, at, Customer { email, has_account: false, created_by, ..customer })
}

/// Changes a customer.
pub fn update_customer(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut patch: CustomerPatch,
) -> Result<Customer, Error> {
    if !CUSTOMERS.table.exists(tx, id)? {
        return Err(Error::NoCustomer(id.to_owned()));
    }
    if let Some(email) = &mut patch.email {
        *email = email.trim().to_lowercase();
    }
    Ok(CUSTOMERS.update(tx, at, id, patch)?)
}

/// Soft-deletes a customer, with the addresses. The e-mail address is free for another customer.
pub fn delete_customer(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Customer, Error> {
    let customer = CUSTOMERS.soft_delete(tx, at, id)?.ok_or_else(|| Error::NoCustomer(id.to_owned()))?;
    for address in ADDRESSES.table.ids_by(tx, &BY_CUSTOMER, &[id])? {
        ADDRESSES.soft_delete(tx, at, &address)?;
    }
    Ok(customer)
}

/// The address of this id, if it is the customer's; `None` for those of others.
pub fn address_of(tx: &dyn Read, customer_id: &str, id: &str) -> Result<Option<CustomerAddress>, StoreError> {
    Ok(ADDRESSES.get(tx, id)?.filter(|it| it.customer_id == customer_id))
}

/// Adds an address.
pub fn add_address(
    tx: &mut dyn Write,
    at: &Moment,
    address: CustomerAddress,
) -> Result<CustomerAddress, Error> {
    if !CUSTOMERS.table.exists(tx, &address.customer_id)? {
        return Err(Error::Unknown { field: "customer_id", id: address.customer_id });
    }
    if BY_CUSTOMER.count(tx, &[&address.customer_id])? >= ADDRESSES_MAX as u64 {
        return Err(Error::Full);
    }
    let address = ADDRESSES.create(tx, at, address)?;
    keep_one_default(tx, at, &address)?;
    Ok(address)
}

/// Changes an address.
pub fn change_address(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    patch: CustomerAddressPatch,
) -> Result<CustomerAddress, RowError> {
    let address = ADDRESSES.update(tx, at, id, patch)?;
    keep_one_default(tx, at, &address)?;
    Ok(address)
}

/// Deletes an address permanently.
pub fn remove_address(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError> {
    ADDRESSES.delete(tx, at, id)?;
    Ok(())
}

/// Clears the default flags of the customer's other addresses that this address has set.
fn keep_one_default(tx: &mut dyn Write, at: &Moment, address: &CustomerAddress) -> Result<(), RowError> {
    if !address.is_default_shipping && !address.is_default_billing {
        return Ok(());
    }
    for other in ADDRESSES.table.list_by(tx, &BY_CUSTOMER, &[&address.customer_id])? {
        if other.id != address.id {
            ADDRESSES.update(tx, at, &other.id, |it: &mut CustomerAddress| {
                it.is_default_shipping &= !address.is_default_shipping;
                it.is_default_billing &= !address.is_default_billing;
            })?;
        }
    }
    Ok(())
}
