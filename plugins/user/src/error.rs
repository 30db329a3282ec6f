//! What can be wrong with a user.

use atoll_kernel::{Fault, RowError, store_errors};

/// Why a user was not made, or not invited.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    /// Somebody with this address is one.
    #[error("User account for following email(s) already exist: {0}")]
    IsUser(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Email(_) | Error::IsUser(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
