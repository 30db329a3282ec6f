//! Errors of carts. The texts are the wire's.

use atoll_kernel::{Fault, data::RowError, limits::NUMBER_DIGITS_MAX};

use crate::{METADATA_BYTES_MAX, N_LINES_MAX};

/// Why a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cart was completed.
    #[error("Cart {0} is already completed.")]
    Completed(String),
    /// There is no such line in it.
    #[error("Line item with id: {0} was not found")]
    NoLine(String),
    /// A limit of the cart is reached.
    #[error(
        "a cart holds at most {N_LINES_MAX} lines, with at most {METADATA_BYTES_MAX} bytes of metadata each"
    )]
    Full,
    /// A quantity or total has too many digits.
    #[error("the quantity of a line, and the total of a cart, have at most {NUMBER_DIGITS_MAX} digits")]
    TooLarge,
    /// The cart has no lines.
    #[error("Cannot complete a cart with no items")]
    Empty,
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoLine(_) => Fault::not_found(error.to_string()),
            Error::Completed(_) | Error::Empty | Error::Full | Error::TooLarge => {
                Fault::invalid(error.to_string())
            }
            Error::Row(error) => error.into(),
        }
    }
}
