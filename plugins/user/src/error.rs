//! Errors of admin users and invites.

use atoll_kernel::{Fault, data::RowError, store_errors};

/// Why a user was not created or invited.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The e-mail address is invalid.
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    /// There is a user with this e-mail address.
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
