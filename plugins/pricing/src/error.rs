//! Errors of prices, price lists and price preferences.

use atoll_kernel::{
    Fault,
    data::RowError,
    limits::{
        LIST_PRICES_PER_VARIANT_MAX, PRICE_LIST_RULE_VALUES_MAX, PRICE_LISTS_ACTIVE_MAX, PRICE_RULES_MAX,
        RULE_CHARS_MAX,
    },
    store_errors,
};

/// Why a price, a price list or a preference was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The amount is below zero.
    #[error("the amount of a price is not below zero, got: '{0}'")]
    Amount(String),
    /// A quantity is below zero, or the minimum is above the maximum.
    #[error("the quantities of a price are not below zero, and min_quantity is not above max_quantity")]
    Quantities,
    /// A price with too many rules.
    #[error("a price has at most {PRICE_RULES_MAX} rules, got: '{0}'")]
    TooManyRules(usize),
    /// A long attribute or value.
    #[error("attributes and values of rules have at most {RULE_CHARS_MAX} characters, got: '{0}…'")]
    LongRule(String),
    /// The window of a list is empty.
    #[error("starts_at must be before ends_at")]
    Window,
    /// A list with too many values in its rules.
    #[error("the rules of a price list have at most {PRICE_LIST_RULE_VALUES_MAX} values, got: '{0}'")]
    TooManyValues(usize),
    /// Too many active lists for the same sale.
    #[error(
        "at most {PRICE_LISTS_ACTIVE_MAX} price lists that have not ended may be active for the same value of a \
         rule, or without one, got one more for: '{0}'"
    )]
    TooManyLists(String),
    /// Too many prices of a variant in one list.
    #[error("a price list has at most {LIST_PRICES_PER_VARIANT_MAX} prices for a variant and currency")]
    TooManyPrices,
    /// Two equal prices in one list.
    #[error("the price {0} of the list has the same variant, currency, quantities and rules")]
    SamePrice(String),
    /// An unknown list.
    #[error("Price list with id: {0} was not found")]
    NoList(String),
    /// A price that the list does not have.
    #[error("Price with id: {id} was not found in price list {list}")]
    NoPrice {
        /// The price.
        id: String,
        /// The list.
        list: String,
    },
    /// An attribute of preferences that prices do not have.
    #[error("Expected: 'currency_code, region_id' for field 'attribute', but got: '{0}'")]
    Attribute(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Row(error) => error.into(),
            Error::NoList(_) | Error::NoPrice { .. } => Fault::not_found(error.to_string()),
            other => Fault::invalid(format!("Invalid request: {other}")),
        }
    }
}
