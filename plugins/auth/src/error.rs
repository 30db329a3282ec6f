//! Errors of registration and passwords. The texts are the wire's, where it has one.

use atoll_kernel::{
    Fault, FaultKind,
    data::RowError,
    limits::{EMAIL_CHARS_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
    store_errors,
};

/// Why an identity was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An identity with actors has this address.
    #[error("Identity with email already exists")]
    Taken,
    /// The identity has an actor of this type already.
    #[error("Key {0} already exists in app metadata")]
    HasActor(String),
    /// The new password is too short or too long.
    #[error("Password must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")]
    PasswordLength,
    /// The e-mail address is too long.
    #[error("Email must have {EMAIL_CHARS_MAX} characters at most")]
    EmailLength,
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Taken => Fault::new(FaultKind::Unauthorized, error.to_string()),
            Error::HasActor(_) | Error::PasswordLength | Error::EmailLength => {
                Fault::invalid(error.to_string())
            }
            Error::Hash(_) => Fault::unexpected(error),
            Error::Row(error) => error.into(),
        }
    }
}
