//! Errors of regions. The texts are the wire's.

use atoll_kernel::{Fault, data::RowError, store_errors};

/// Why a region was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Countries of another region.
    #[error("Countries with codes: \"{}\" are already assigned to a region", .0.join(", "))]
    Assigned(Vec<String>),
    /// Unknown country codes.
    #[error("Countries with codes: \"{}\" do not exist", .0.join(", "))]
    NoCountry(Vec<String>),
    /// Unknown currency code.
    #[error("currency with code `{0}` does not exist")]
    NoCurrency(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Row(error) => error.into(),
            other => Fault::invalid(other.to_string()),
        }
    }
}
