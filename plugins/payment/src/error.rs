//! Errors of payments. The texts are the wire's, where it has one.

use atoll_kernel::{Fault, FaultKind, data::RowError, store_errors};

/// Why an amount was not captured, refunded or authorised.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such payment.
    #[error("Payment with id: {0} was not found")]
    NotFound(String),
    /// The payment was cancelled.
    #[error("The payment: {0} has been canceled.")]
    Canceled(String),
    /// A request to the provider is in flight.
    #[error("Payment {0} is being changed")]
    Busy(String),
    /// The amount is zero or negative.
    #[error("The amount must be greater than 0")]
    NotPositive,
    /// More than the authorised amount.
    #[error("You cannot capture more than the authorized amount subtracted by what is already captured.")]
    CaptureTooMuch,
    /// More than the captured amount.
    #[error("You cannot refund more than what is captured on the payment.")]
    RefundTooMuch,
    /// The collection is paid or cancelled.
    #[error("Payment collection {0} is already paid or canceled.")]
    Settled(String),
    /// The session was replaced while its amount was being authorised (a race).
    #[error("Payment collection {0} was changed while it was being paid")]
    Changed(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Fault::not_found(error.to_string()),
            Error::Busy(_) | Error::Changed(_) => Fault::new(FaultKind::Conflict, error.to_string()),
            Error::Settled(_) => Fault::not_allowed(error.to_string()),
            Error::Canceled(_) | Error::NotPositive | Error::CaptureTooMuch | Error::RefundTooMuch => {
                Fault::invalid(error.to_string())
            }
            Error::Row(error) => error.into(),
        }
    }
}
