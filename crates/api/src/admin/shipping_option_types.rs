//! Admin routes of the types of shipping options: `/admin/shipping-option-types`.

use atoll_flows::fulfillment::{
    CREATE_SHIPPING_OPTION_TYPES, DELETE_SHIPPING_OPTION_TYPES, UPDATE_SHIPPING_OPTION_TYPES,
};
use atoll_kernel::{
    http::{Body, Params, Resource, Type, optional, required},
    part_of,
};

use crate::{
    crud::crud,
    tables::{ONE, any, date, list},
};

part_of! { "fulfillment" }

crud! {
    of RESOURCE at "/admin/shipping-option-types" for Admin;
    called "a type of shipping options" / "types of shipping options";
    not_found "Shipping option type with id: {} was not found";
    page LIST;
    find ONE;
    /// Buyers are shown it with each option that has it. Several types may have the same code.
    create ONE, CREATE by CREATE_SHIPPING_OPTION_TYPES;
    update ONE, UPDATE by UPDATE_SHIPPING_OPTION_TYPES;
    /// One that shipping options have is refused.
    delete "shipping_option_type" by DELETE_SHIPPING_OPTION_TYPES;
}

static RESOURCE: Resource = Resource {
    entity: "shipping_option_type",
    one: "shipping_option_type",
    many: "shipping_option_types",
    fields: &["id", "label", "code", "description", "created_at", "updated_at"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("label"),
        any("code"),
        any("description"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    10,
);
const CREATE: Body = &[OPTION_TYPE];
const UPDATE: Body =
    &[&[optional("label", Type::Text), optional("code", Type::Text), optional("description", Type::Text)]];
/// The fields of a new type of options.
pub(crate) const OPTION_TYPE: &[atoll_kernel::http::Field] =
    &[required("label", Type::Text), required("code", Type::Text), optional("description", Type::Text)];
