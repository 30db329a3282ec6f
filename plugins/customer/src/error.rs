//! Errors of customers.

use atoll_kernel::{
    Fault,
    data::RowError,
    limits::{ADDRESSES_MAX, GROUP_CHANGES_MAX, GROUP_NAME_CHARS_MAX, GROUPS_OF_CUSTOMER_MAX},
    store_errors,
};

/// Why a customer was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The limit of addresses is reached.
    #[error("a customer has at most {ADDRESSES_MAX} addresses")]
    Full,
    /// The limit of groups is reached.
    #[error("a customer is in at most {GROUPS_OF_CUSTOMER_MAX} groups")]
    Groups,
    /// Too many customers or groups in one call.
    #[error("one call adds and removes at most {GROUP_CHANGES_MAX}")]
    TooMany,
    /// The name of a group is empty or long.
    #[error("Invalid request: Field 'name' must have 1 to {GROUP_NAME_CHARS_MAX} characters")]
    Name,
    /// There is no such record, which the request refers to.
    #[error("You tried to set relationship {field}: {id}, but such entity does not exist")]
    Unknown {
        /// The field.
        field: &'static str,
        /// The id.
        id: String,
    },
    /// There is no such customer.
    #[error("Customer with id \"{0}\" not found")]
    NoCustomer(String),
    /// There is no such group.
    #[error("Customer group with id \"{0}\" not found")]
    NoGroup(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Full | Error::Groups | Error::TooMany | Error::Name => Fault::invalid(error.to_string()),
            Error::Unknown { .. } | Error::NoCustomer(_) | Error::NoGroup(_) => {
                Fault::not_found(error.to_string())
            }
            Error::Row(error) => error.into(),
        }
    }
}
