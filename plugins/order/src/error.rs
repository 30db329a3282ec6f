//! Errors of orders. The texts are the wire's.

use atoll_kernel::{
    Fault,
    data::RowError,
    limits::{NUMBER_DIGITS_MAX, TAX_RATE_MAX},
    serde_json, store_errors,
};

use crate::credit::CREDIT_LINES_MAX;

/// Why an order was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such order.
    #[error("Order id not found: {0}")]
    NotFound(String),
    /// The order was cancelled.
    #[error("Order with id {0} has been canceled.")]
    Canceled(String),
    /// A completed order cannot be cancelled.
    #[error("Cannot cancel a completed order. Please use the return process to handle refunds or exchanges.")]
    Completed,
    /// The order has fulfilments that were not cancelled.
    #[error("All fulfillments must be canceled before canceling an order")]
    HasFulfillments,
    /// A cancelled order cannot be completed.
    #[error("Orders {0} are canceled and cannot be completed")]
    CompleteCanceled(String),
    /// The order is neither completed nor cancelled.
    #[error("Orders {0} are completed, canceled, or in draft and cannot be archived")]
    NotArchivable(String),
    /// An address must stay in its country, for which the order was priced.
    #[error("Country code cannot be changed")]
    OtherCountry,
    /// The order has an open change.
    #[error("Order ({0}) already has an existing active order change")]
    HasChange(String),
    /// The order has no open change.
    #[error("An active Order Change is required to proceed")]
    NoChange,
    /// A credit line of zero.
    #[error("The amount of a credit line must not be 0")]
    NoCredit,
    /// The order owes nothing, or nothing is owed to the customer.
    #[error("Can only create {0} credit lines if the order has a {0} pending difference")]
    NothingToCredit(&'static str),
    /// More than is owed.
    #[error("Cannot create more {0} credit lines with amount more than the pending difference")]
    CreditTooMuch(&'static str),
    /// The order has [`CREDIT_LINES_MAX`] credit lines.
    #[error("Order {0} has {CREDIT_LINES_MAX} credit lines, which is the limit")]
    TooManyCredits(String),
    /// A number of the order is so long that its totals could not be computed, or a rate is no percentage.
    #[error(
        "the numbers of an order have at most {NUMBER_DIGITS_MAX} digits, and rates are between 0 and \
         {TAX_RATE_MAX}"
    )]
    TooLarge,
    /// The given address cannot be deserialised.
    #[error("Invalid request: {0}")]
    Address(#[from] serde_json::Error),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Fault::not_found(error.to_string()),
            Error::Completed | Error::HasFulfillments => Fault::not_allowed(error.to_string()),
            Error::Canceled(_)
            | Error::CompleteCanceled(_)
            | Error::NotArchivable(_)
            | Error::OtherCountry
            | Error::HasChange(_)
            | Error::NoChange
            | Error::NoCredit
            | Error::NothingToCredit(_)
            | Error::CreditTooMuch(_)
            | Error::TooManyCredits(_)
            | Error::TooLarge
            | Error::Address(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
