//! Errors of API keys. The texts are the wire's.

use atoll_kernel::{Fault, data::RowError, store_errors};

/// Why an API key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is not revoked.
    #[error("Cannot delete api keys that are not revoked - {0}")]
    Active(String),
    /// The secret key was revoked before.
    #[error("There are 1 secret keys that are already revoked.")]
    Revoked,
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Active(_) => Fault::not_allowed(error.to_string()),
            Error::Revoked => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
