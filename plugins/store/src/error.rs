//! Errors of the store's settings. The texts are the wire's.

use atoll_kernel::{Fault, data::RowError};

use crate::StoreCurrency;

/// Why the store was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Duplicate currency codes.
    #[error("Duplicate currency codes: {0}")]
    Duplicate(String),
    /// Two currencies are the default.
    #[error("Only one default currency is allowed")]
    SeveralDefaults,
    /// No currency is the default.
    #[error("There should be a default currency set for the store")]
    NoDefault,
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl Error {
    /// Validates the currencies: no duplicates, exactly one default.
    pub(crate) fn check(currencies: &[StoreCurrency]) -> Result<(), Error> {
        let mut codes: Vec<&str> = currencies.iter().map(|it| it.currency_code.as_str()).collect();
        codes.sort_unstable();
        let twice: Vec<&str> =
            codes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        if !twice.is_empty() {
            return Err(Error::Duplicate(twice.join(", ")));
        }
        match currencies.iter().filter(|it| it.is_default).count() {
            0 if !currencies.is_empty() => Err(Error::NoDefault),
            0 | 1 => Ok(()),
            _ => Err(Error::SeveralDefaults),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Row(error) => error.into(),
            other => Fault::invalid(other.to_string()),
        }
    }
}
