//! Errors of promotions and campaigns. The texts are the wire's, where it has some.

use atoll_checkout::NotApplied;
use atoll_kernel::{Fault, data::RowError, store_errors};

/// Why a promotion or a campaign was not created, changed or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is not right.
    #[error("{0}")]
    Invalid(String),
    /// Another promotion has the code, or one that differs in case only.
    #[error("Promotion with code: {0}, already exists.")]
    CodeTaken(String),
    /// Another campaign has the identifier.
    #[error("Promotion campaign with campaign_identifier: {0}, already exists.")]
    IdentifierTaken(String),
    /// No promotion has this id.
    #[error("Promotion id not found: {0}")]
    NoPromotion(String),
    /// No campaign has the id that a promotion names.
    #[error("Could not find campaign with id - {0}")]
    NoCampaignOf(String),
    /// No campaign has this id.
    #[error("Campaign with id \"{0}\" not found")]
    NoCampaign(String),
    /// Rules that the promotion does not have.
    #[error("Promotion rules with id - {} not found", .0.join(", "))]
    NoRules(Vec<String>),
    /// It cannot be used.
    #[error("The promotion code {code} {}", why.text())]
    NotUsed {
        /// The code.
        code: String,
        /// Why.
        why: NotApplied,
    },
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl Error {
    /// The input is not right.
    pub(crate) fn invalid(text: impl Into<String>) -> Error {
        Error::Invalid(text.into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NoPromotion(_) | Error::NoCampaignOf(_) | Error::NoCampaign(_) => {
                Fault::not_found(error.to_string())
            }
            Error::NotUsed { .. } => Fault::not_allowed(error.to_string()),
            Error::Row(error) => error.into(),
            other => Fault::invalid(other.to_string()),
        }
    }
}
