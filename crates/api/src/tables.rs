//! Parameters and bodies that many routes share.

use atoll_kernel::{Body, Field, Fields, Filters, Param, ParamKind, Params, Type, optional};

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
pub(crate) const ORDERS_ALWAYS: &[&str] =
    &["status", "version", "*items", "*items.detail", "payment_status", "fulfillment_status"];

/// An order shows these whatever else it is asked for.
pub(crate) const ORDER_ALWAYS: &[&str] =
    &["status", "version", "*payment_collections", "*fulfillments", "payment_status", "fulfillment_status"];

/// Shows of an order what it always shows. All of a line is its detail, too.
pub(crate) fn show_always(fields: &mut Fields, always: &'static [&'static str]) {
    always.iter().for_each(|path| fields.add(path));
    if fields.names("*items") {
        fields.add("*items.detail");
    }
}

/// Fields of what hangs on a record, by their paths: `under!("customer": "id", "email")`.
macro_rules! under {
    ($relation:literal: $($field:literal),+ $(,)?) => { [$(concat!($relation, ".", $field)),+] };
}

/// What carts show of an address of theirs.
macro_rules! address_shown {
    ($relation:literal) => {
        $crate::tables::under!(
            $relation: "id", "first_name", "last_name", "company", "address_1", "address_2", "city",
            "postal_code", "country_code", "province", "phone",
        )
    };
}

pub(crate) use {address_shown, under};
