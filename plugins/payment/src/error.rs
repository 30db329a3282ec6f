//! Errors of payments. The texts are the wire's, where it has one.

use atoll_kernel::{
    Fault, FaultKind,
    data::RowError,
    limits::{FORMER_SESSIONS_MAX, REFUND_NOTE_CHARS_MAX, SESSION_DATA_BYTES_MAX},
    store_errors,
};

use crate::{Asked, service::MOVES_MAX};

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
    /// The provider was asked for something else, and has not answered: it may have been done.
    #[error("Payment {id}: it is not known whether {} was {}; repeat that first", .asked.amount, done(.asked))]
    Unanswered {
        /// The payment.
        id: String,
        /// What the provider was asked for.
        asked: Asked,
    },
    /// The amount is zero or negative.
    #[error("The amount must be greater than 0")]
    NotPositive,
    /// More than the authorised amount. The spelling is the wire's.
    #[error("You cannot capture more than the authorized amount substracted by what is already captured.")]
    CaptureTooMuch,
    /// More than the captured amount.
    #[error("You are not allowed to refund more than the captured amount")]
    RefundTooMuch,
    /// The payment has [`MOVES_MAX`] captures or refunds.
    #[error("Payment {0} has {MOVES_MAX} captures or refunds, which is the limit")]
    TooManyMoves(String),
    /// The collection has lost [`FORMER_SESSIONS_MAX`] sessions.
    #[error(
        "Payment collection {0} has had {FORMER_SESSIONS_MAX} other payment sessions, which is the limit"
    )]
    TooManySessions(String),
    /// The note of a refund is too long.
    #[error("The note of a refund has at most {REFUND_NOTE_CHARS_MAX} characters")]
    LongNote,
    /// The data or the context that a storefront gives a session are too long.
    #[error("The data and the context of a payment session have at most {SESSION_DATA_BYTES_MAX} bytes each")]
    LongData,
    /// There is no such collection.
    #[error("PaymentCollection id not found: {0}")]
    NoCollection(String),
    /// There is no such reason.
    #[error("RefundReason id not found: {0}")]
    NoReason(String),
    /// The collection has a session or a payment.
    #[error("Can only mark 'not_paid' payment collection as paid")]
    NotPayable,
    /// The collection has a session or a payment.
    #[error("Can only delete payment collections where status is not_paid")]
    NotDeletable,
    /// The provider takes part in payments itself, or does not serve.
    #[error("Payment provider {0} does not serve for payments outside of the shop")]
    NotManual(String),
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

fn done(asked: &Asked) -> &'static str {
    if asked.is_refund { "refunded" } else { "captured" }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) | Error::NoCollection(_) | Error::NoReason(_) => {
                Fault::not_found(error.to_string())
            }
            Error::Busy(_) | Error::Unanswered { .. } | Error::Changed(_) => {
                Fault::new(FaultKind::Conflict, error.to_string())
            }
            Error::Settled(_) | Error::NotPayable | Error::NotDeletable => {
                Fault::not_allowed(error.to_string())
            }
            Error::Canceled(_)
            | Error::NotPositive
            | Error::CaptureTooMuch
            | Error::RefundTooMuch
            | Error::TooManyMoves(_)
            | Error::TooManySessions(_)
            | Error::LongNote
            | Error::LongData
            | Error::NotManual(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
