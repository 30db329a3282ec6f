//! Parameters and bodies that many routes share.

use atoll_kernel::{
    http::{Answer, Body, Field, Filters, Param, ParamKind, Params, Part, Type, optional},
    query::Fields,
};

/// A route that shows one record: `fields` is the only parameter.
pub(crate) const ONE: Params = Params::NONE;

/// A route that can say what it would write instead.
pub(crate) const DRY_RUN: Params = Params {
    own: &[flag("dry_run").about("Say what would change, and write nothing.")],
    limit: None,
    strict: true,
};

/// A list with these filters, and this default page size.
pub(crate) const fn list(own: Filters, limit: usize) -> Params {
    Params { own, limit: Some(limit), strict: true }
}

/// A list that ignores unknown parameters, as some routes of the wire do.
pub(crate) const fn lenient_list(own: Filters, limit: usize) -> Params {
    Params { own, limit: Some(limit), strict: false }
}

/// A filter by value, by several values, or by operators.
pub(crate) const fn any(name: &'static str) -> Param {
    Param::new(name, ParamKind::Any)
}

/// As `any`; `null` matches records without a value.
pub(crate) const fn any_or_null(name: &'static str) -> Param {
    Param::new(name, ParamKind::AnyOrNull)
}

/// A filter by date.
pub(crate) const fn date(name: &'static str) -> Param {
    Param::new(name, ParamKind::Date)
}

/// A filter by a boolean.
pub(crate) const fn flag(name: &'static str) -> Param {
    Param::new(name, ParamKind::Bool)
}

/// Filters on a relation: `variants[sku]=x`.
pub(crate) const fn nested(name: &'static str, filters: Filters) -> Param {
    Param::new(name, ParamKind::Nested(filters))
}

/// Ids to link and to unlink.
pub(crate) const LINK: Body = &[&[
    optional("add", Type::List(&Type::Text)).about("The ids to link."),
    optional("remove", Type::List(&Type::Text)).about("The ids to unlink."),
]];

/// The answer of an action that has nothing else to show.
pub(crate) const SUCCESS: Answer = Answer::Object(&[Part::value("success", Type::Bool, "Always true.")]);

/// A list of ids.
pub(crate) const IDS: Type = Type::List(&Type::Text);

/// The parts of the body of a batch.
pub(crate) const fn batch_create(records: Type) -> Field {
    optional("create", records).about("What to create.")
}
pub(crate) const fn batch_update(records: Type) -> Field {
    optional("update", records).about("What to update, by its ids. Fields that are absent stay as they are.")
}
pub(crate) const BATCH_DELETE: Field = optional("delete", IDS).about("The ids of what to delete.");

/// An empty body.
pub(crate) const NOTHING: Body = &[];

/// A string, optional and nullable.
pub(crate) const fn text(name: &'static str) -> Field {
    optional(name, Type::Text).or_null()
}

/// A number, optional and nullable.
pub(crate) const fn number(name: &'static str) -> Field {
    optional(name, Type::Number).or_null()
}

/// Free data.
pub(crate) const METADATA: Field =
    optional("metadata", Type::Record).or_null().about("A JSON object of the client's, stored as it is.");

/// What a request says to the modules that joined the flows of its route: their hooks are handed it as it is.
pub(crate) const ADDITIONAL_DATA: Field = optional("additional_data", Type::Record)
    .or_null()
    .about("Data for the modules that join the flow with hooks.");

/// The address of a buyer.
pub(crate) const ADDRESS: Type = Type::Strict(&[ADDRESS_FIELDS]);
/// An address of a customer.
pub(crate) const CUSTOMER_ADDRESS: Body = &[
    ADDRESS_FIELDS,
    &[
        text("address_name"),
        optional("is_default_shipping", Type::Bool),
        optional("is_default_billing", Type::Bool),
    ],
];
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

/// Fields that lists of orders always include.
pub(crate) const ORDERS_ALWAYS: &[&str] =
    &["status", "version", "*items", "*items.detail", "payment_status", "fulfillment_status"];

/// Fields that an order always includes.
pub(crate) const ORDER_ALWAYS: &[&str] =
    &["status", "version", "*payment_collections", "*fulfillments", "payment_status", "fulfillment_status"];

/// Adds the fields that an order always includes. Selecting all of a line or a shipping method includes its
/// detail.
pub(crate) fn show_always(fields: &mut Fields, always: &'static [&'static str]) {
    always.iter().for_each(|path| fields.add(path));
    for (all, detail) in [("*items", "*items.detail"), ("*shipping_methods", "*shipping_methods.detail")] {
        if fields.names(all) {
            fields.add(detail);
        }
    }
}

/// Fields of a relation, by their paths: `under!("customer": "id", "email")`.
macro_rules! under {
    ($relation:literal: $($field:literal),+ $(,)?) => { [$(concat!($relation, ".", $field)),+] };
}

/// Fields that carts show of an address.
macro_rules! address_shown {
    ($relation:literal) => {
        $crate::tables::under!(
            $relation: "id", "first_name", "last_name", "company", "address_1", "address_2", "city",
            "postal_code", "country_code", "province", "phone",
        )
    };
}

/// Fields that carts show of tax lines.
macro_rules! tax_lines_shown {
    ($relation:literal) => {
        $crate::tables::under!(
            $relation: "id", "description", "code", "rate", "provider_id", "data", "metadata",
        )
    };
}

pub(crate) use {address_shown, tax_lines_shown, under};
