//! What can be wrong with a user.

use atoll_kernel::{Fault, RowError};

/// Why a user was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Email(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
