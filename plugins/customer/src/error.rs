//! Errors of customers.

use atoll_kernel::{Fault, data::RowError, limits::ADDRESSES_MAX, store_errors};

/// Why a customer was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The limit of addresses is reached.
    #[error("a customer has at most {ADDRESSES_MAX} addresses")]
    Full,
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Full => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
