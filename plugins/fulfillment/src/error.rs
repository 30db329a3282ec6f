//! Errors of shipping and of fulfilments. The texts are the wire's.

use atoll_kernel::{Fault, FaultKind, data::RowError, store_errors};

/// Why a record was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state of the fulfilment does not allow it.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// A request to the provider is in flight.
    #[error("Fulfillment {0} is being changed")]
    Busy(String),
    /// A field names a record that does not exist.
    #[error("You tried to set relationship {field}: {id}, but such entity does not exist")]
    NoTarget {
        /// The field.
        field: &'static str,
        /// The id that it would hold.
        id: String,
    },
    /// A record, or one of its parts, does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The input is wrong.
    #[error("{0}")]
    Invalid(String),
    /// Other records need it.
    #[error("Cannot delete following {what} because they are used by {by}: {}", .ids.join(", "))]
    InUse {
        /// What was to be deleted.
        what: &'static str,
        /// What uses it.
        by: &'static str,
        /// The ids of the first of these.
        ids: Vec<String>,
    },
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl Error {
    /// This field names a record that does not exist.
    pub fn no_target(field: &'static str, id: &str) -> Error {
        Error::NoTarget { field, id: id.to_owned() }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotAllowed(_) => Fault::not_allowed(error.to_string()),
            Error::Busy(_) => Fault::new(FaultKind::Conflict, error.to_string()),
            Error::Invalid(_) | Error::InUse { .. } => Fault::invalid(error.to_string()),
            Error::NoTarget { .. } | Error::NotFound(_) => Fault::not_found(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
