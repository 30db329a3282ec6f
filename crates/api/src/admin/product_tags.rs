//! `/admin/product-tags`

use atoll_flows::product::{CREATE_PRODUCT_TAGS, DELETE_PRODUCT_TAGS, UPDATE_PRODUCT_TAGS};
use atoll_kernel::{Body, Call, Fault, Params, Reply, Resource, Type, optional, required, routes};

use crate::{
    reply::{create_by, find, page, remove_by, update_by},
    tables::{ADDITIONAL_DATA, METADATA, ONE, any, date, list},
};

routes! {
    of RESOURCE;
    Get "/admin/product-tags" (Admin, LIST) => index;
    Post "/admin/product-tags" (Admin, ONE, CREATE) => create;
    Get "/admin/product-tags/:id" (Admin, ONE) => retrieve;
    Post "/admin/product-tags/:id" (Admin, ONE, UPDATE) => update;
    Delete "/admin/product-tags/:id" (Admin, ONE) => delete;
}

static RESOURCE: Resource = Resource {
    entity: "product_tag",
    one: "product_tag",
    many: "product_tags",
    fields: &["id", "value", "external_id", "created_at", "updated_at", "metadata"],
    offer: None,
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 20);
const CREATE: Body = &[&[required("value", Type::Text), METADATA, ADDITIONAL_DATA]];
const UPDATE: Body = &[&[optional("value", Type::Text), METADATA, ADDITIONAL_DATA]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESOURCE, call, Vec::new())
}

async fn create(call: Call) -> Result<Reply, Fault> {
    create_by(&RESOURCE, call, &CREATE_PRODUCT_TAGS).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESOURCE, &call, not_found)
}

fn not_found(id: &str) -> String {
    format!("Product tag with id: {id} was not found")
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&RESOURCE, call, &UPDATE_PRODUCT_TAGS).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "product_tag", &DELETE_PRODUCT_TAGS).await
}
