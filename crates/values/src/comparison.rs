//! Comparison operators of filters.

/// A comparison of a field with one value, or (`In`, `NotIn`) with several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// One of the values.
    In,
    /// None of the values.
    NotIn,
    /// Below the value.
    Lt,
    /// Not above the value.
    Lte,
    /// Above the value.
    Gt,
    /// Not below the value.
    Gte,
    /// Matches a pattern with `%` and `_`.
    Like,
    /// As `Like`, case-insensitive.
    Ilike,
}
