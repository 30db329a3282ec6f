//! Admin routes of product tags: `/admin/product-tags`.

use atoll_flows::product::{CREATE_PRODUCT_TAGS, DELETE_PRODUCT_TAGS, UPDATE_PRODUCT_TAGS};
use atoll_kernel::http::{Body, Params, Resource, Type, optional, required};

use crate::{
    crud::crud,
    tables::{ADDITIONAL_DATA, METADATA, ONE, any, date, list},
};

crud! {
    of RESOURCE at "/admin/product-tags" for Admin;
    called "a product tag" / "product tags";
    not_found "Product tag with id: {} was not found";
    page LIST;
    find ONE;
    create ONE, CREATE by CREATE_PRODUCT_TAGS;
    update ONE, UPDATE by UPDATE_PRODUCT_TAGS;
    delete "product_tag" by DELETE_PRODUCT_TAGS;
}

static RESOURCE: Resource = Resource {
    entity: "product_tag",
    one: "product_tag",
    many: "product_tags",
    fields: &["id", "value", "external_id", "created_at", "updated_at", "metadata"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 20);
const CREATE: Body = &[&[required("value", Type::Text), METADATA, ADDITIONAL_DATA]];
const UPDATE: Body = &[&[optional("value", Type::Text), METADATA, ADDITIONAL_DATA]];
