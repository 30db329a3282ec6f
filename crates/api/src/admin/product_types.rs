//! Admin routes of product types: `/admin/product-types`.

use atoll_flows::product::{CREATE_PRODUCT_TYPES, DELETE_PRODUCT_TYPES, UPDATE_PRODUCT_TYPES};
use atoll_kernel::http::{Body, Params, Resource, Type, optional, required};

use crate::{
    crud::crud,
    tables::{ADDITIONAL_DATA, METADATA, ONE, any, date, list},
};

crud! {
    of RESOURCE at "/admin/product-types" for Admin;
    called "a product type" / "product types";
    not_found "Product type with id: {} was not found";
    page LIST;
    find ONE;
    create ONE, CREATE by CREATE_PRODUCT_TYPES;
    update ONE, UPDATE by UPDATE_PRODUCT_TYPES;
    delete "product_type" by DELETE_PRODUCT_TYPES;
}

static RESOURCE: Resource = Resource {
    entity: "product_type",
    one: "product_type",
    many: "product_types",
    fields: &["id", "value", "external_id", "created_at", "updated_at", "metadata"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 10);
const CREATE: Body = &[&[required("value", Type::Text), METADATA, ADDITIONAL_DATA]];
const UPDATE: Body = &[&[optional("value", Type::Text), METADATA, ADDITIONAL_DATA]];
