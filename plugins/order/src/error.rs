//! What can be wrong with an order. The texts are the wire's.

use atoll_kernel::{Fault, RowError, store_errors};

/// Why an order was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such order.
    #[error("Order id not found: {0}")]
    NotFound(String),
    /// It was called off.
    #[error("Order with id {0} has been canceled.")]
    Canceled(String),
    /// It is done.
    #[error("Cannot cancel a completed order. Please use the return process to handle refunds or exchanges.")]
    Completed,
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Fault::not_found(error.to_string()),
            Error::Canceled(_) => Fault::invalid(error.to_string()),
            Error::Completed => Fault::not_allowed(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
