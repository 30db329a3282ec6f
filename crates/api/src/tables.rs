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

/// As `any`; the word `null` asks for records without one.
pub(crate) const fn any_or_null(name: &'static str) -> Param {
    Param::new(name, ParamKind::AnyOrNull)
}

/// A filter of dates.
pub(crate) const fn date(name: &'static str) -> Param {
    Param::new(name, ParamKind::Date)
}

/// A filter of true or false.
pub(crate) const fn flag(name: &'static str) -> Param {
    Param::new(name, ParamKind::Bool)
}

/// Filters on what hangs on the record: `variants[sku]=x`.
pub(crate) const fn nested(name: &'static str, filters: Filters) -> Param {
    Param::new(name, ParamKind::Nested(filters))
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

/// What a request says to the modules that joined the flows of its route: their hooks are handed it as it is.
pub(crate) const ADDITIONAL_DATA: Field = optional("additional_data", Type::Record).or_null();

/// An address of a buyer.
pub(crate) const ADDRESS: Type = Type::Strict(&[ADDRESS_FIELDS]);
pub(crate) const ADDRESS_FIELDS: &[Field] = &[
    text("first_name"),
    text("last_name"),
    text("phone"),
    text("company"),
    text("address_1"),
    text("address_2"),
    text("city"),
    text("country_code"),
    text("province"),
    text("postal_code"),
    METADATA,
];

/// Lists of orders show these whatever else they are asked for.
pub(crate) const ORDERS_ALWAYS: &str =
    "+status,+version,+*items,+*items.detail,+payment_status,+fulfillment_status";

/// An order shows these whatever else it is asked for.
pub(crate) const ORDER_ALWAYS: &str =
    "+status,+version,+*payment_collections,+*fulfillments,+payment_status,+fulfillment_status";

/// Several lists of fields as one.
pub(crate) const fn joined<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let (mut all, mut list, mut place, mut n) = ([""; N], 0, 0, 0);
    while list < lists.len() {
        while place < lists[list].len() {
            all[n] = lists[list][place];
            (place, n) = (place + 1, n + 1);
        }
        (list, place) = (list + 1, 0);
    }
    assert!(n == N, "the lists have another length");
    all
}
