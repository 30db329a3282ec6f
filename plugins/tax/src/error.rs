//! Errors of taxes. The texts are the wire's, where it has one.

use atoll_kernel::{
    Decimal, Fault,
    data::RowError,
    limits::{TAX_CODE_CHARS_MAX, TAX_PROVINCES_MAX, TAX_RATE_MAX, TAX_RATES_MAX, TAX_RULES_MAX},
    store_errors,
};

/// Why a tax region, a rate or a rule was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No code of a country.
    #[error("Invalid request: Field 'country_code' must have two letters")]
    NoCountry,
    /// An empty or long code of a province, or id of what a rule names.
    #[error("Invalid request: Field '{0}' must have 1 to {TAX_CODE_CHARS_MAX} characters")]
    Length(&'static str),
    /// The country has a region.
    #[error("Tax region with country_code: {0}, already exists.")]
    Taken(String),
    /// A country without a provider.
    #[error("Invalid request: Provider is required when creating a non-province tax region.")]
    NoProvider,
    /// A region with a parent, and without the code of a province.
    #[error("Invalid request: Field 'province_code' is required")]
    NoProvince,
    /// A province without a parent.
    #[error(
        "Province region must belong to a parent region. You are trying to create a province region with \
         (country: {country}, province: {province}) but parent does not exist"
    )]
    NoParent {
        /// Of the province.
        country: String,
        /// Its code.
        province: String,
    },
    /// A province below a region of another country.
    #[error(
        "Province region must belong to a parent region with the same country code. You are trying to create \
         a province region with (country: {country}, province: {province}) but parent expects (country: \
         {expected})"
    )]
    OtherParent {
        /// Of the province.
        country: String,
        /// Its code.
        province: String,
        /// Of the parent.
        expected: String,
    },
    /// A province below a province.
    #[error("Invalid request: the parent of a tax region must be a country: {0} is a province")]
    NotACountry(String),
    /// A code of a province, for a country.
    #[error("Invalid request: Field 'province_code' is not for the tax region of a country")]
    IsACountry,
    /// The region has a default rate.
    #[error("Tax rate with tax_region_id: {0}, already exists.")]
    Default(String),
    /// There is no such record, which the request refers to.
    #[error("You tried to set relationship {field}: {id}, but such entity does not exist")]
    Unknown {
        /// The field.
        field: &'static str,
        /// The id.
        id: String,
    },
    /// The rate is not a percentage.
    #[error("Invalid request: a rate of {0} is not between 0 and {TAX_RATE_MAX}")]
    Rate(Decimal),
    /// The limit of provinces is reached.
    #[error("a tax region has at most {TAX_PROVINCES_MAX} provinces")]
    Provinces,
    /// The limit of rates is reached.
    #[error("a tax region has at most {TAX_RATES_MAX} rates")]
    Rates,
    /// The limit of rules is reached.
    #[error("a tax rate has at most {TAX_RULES_MAX} rules")]
    Rules,
    /// There is no such region.
    #[error("TaxRegion with id \"{0}\" not found")]
    NoRegion(String),
    /// There is no such rate.
    #[error("Tax rate with id \"{0}\" not found")]
    NoRate(String),
    /// The rate has no such rule.
    #[error("Tax rate rule with id \"{0}\" not found")]
    NoRule(String),
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown { .. } | Error::NoRegion(_) | Error::NoRate(_) | Error::NoRule(_) => {
                Fault::not_found(error.to_string())
            }
            Error::Row(error) => error.into(),
            other => Fault::invalid(other.to_string()),
        }
    }
}
