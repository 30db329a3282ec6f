//! Parameters and bodies that many routes share.

use atoll_kernel::{Body, Field, Filters, Param, ParamKind, Params, Type, optional};

/// A route that shows one record: `fields`, and nothing else.
pub(crate) const ONE: Params = Params::NONE;

/// A list without filters of its own.
pub(crate) const fn list(own: Filters, limit: usize) -> Params {
    Params { own, limit: Some(limit), strict: true }
}

/// A list that drops parameters it does not know, as some of the wire do.
pub(crate) const fn lenient_list(own: Filters, limit: usize) -> Params {
    Params { own, limit: Some(limit), strict: false }
}

/// A filter of a text, texts or operators.
pub(crate) const fn any(name: &'static str) -> Param {
    Param::new(name, ParamKind::Any)
}

/// A filter of dates.
pub(crate) const fn date(name: &'static str) -> Param {
    Param::new(name, ParamKind::Date)
}

/// A filter of true or false.
pub(crate) const fn flag(name: &'static str) -> Param {
    Param::new(name, ParamKind::Bool)
}

/// Ids to link and to unlink.
pub(crate) const LINK: Body =
    &[&[optional("add", Type::List(&Type::Text)), optional("remove", Type::List(&Type::Text))]];

/// A body of nothing.
pub(crate) const NOTHING: Body = &[];

/// A text that may be absent or null.
pub(crate) const fn text(name: &'static str) -> Field {
    optional(name, Type::Text).or_null()
}

/// A number that may be absent or null.
pub(crate) const fn number(name: &'static str) -> Field {
    optional(name, Type::Number).or_null()
}

/// Free data.
pub(crate) const METADATA: Field = optional("metadata", Type::Record).or_null();
