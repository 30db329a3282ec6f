//! Guests by e-mail address, and the addresses of customers.

use atoll_kernel::{Moment, Read, StoreError, Write, data::RowError, limits::ADDRESSES_MAX};

use crate::{
    ADDRESSES, BY_CUSTOMER, BY_EMAIL, CUSTOMERS, Customer, CustomerAddress, CustomerAddressPatch, Error,
    account,
};

/// The guest with this e-mail address; created if there is none.
pub fn find_or_create_guest(tx: &mut dyn Write, at: &Moment, email: &str) -> Result<Customer, RowError> {
    let email = email.trim().to_lowercase();
    match CUSTOMERS.table.get_by(tx, &BY_EMAIL, &[&email, account(false)])? {
        Some(guest) => Ok(guest),
        None => CUSTOMERS.create(tx, at, Customer { email, ..Customer::default() }),
    }
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
    CUSTOMERS.retrieve(tx, &address.customer_id)?;
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
