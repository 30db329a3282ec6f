//! Errors of fulfilments.

use atoll_kernel::{Fault, data::RowError, store_errors};

/// Why a fulfilment was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The fulfilment was cancelled before.
    #[error("Fulfillment with id {0} is already canceled")]
    Canceled(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Canceled(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
