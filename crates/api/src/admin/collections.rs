//! `/admin/collections`

use atoll_flows::product::{
    CREATE_COLLECTIONS, DELETE_COLLECTIONS, LINK_PRODUCTS_TO_COLLECTION, UPDATE_COLLECTIONS,
};
use atoll_kernel::{Body, Call, Fault, Params, Reply, Resource, Type, optional, required, routes};
use atoll_product::COLLECTIONS;

use crate::{
    reply::{create_by, find, link_by, page, remove_by, update_by},
    tables::{ADDITIONAL_DATA, LINK, METADATA, ONE, any, date, list},
};

routes! {
    of RESOURCE;
    Get "/admin/collections" (Admin, LIST) => index;
    Post "/admin/collections" (Admin, ONE, CREATE) => create;
    Get "/admin/collections/:id" (Admin, ONE) => retrieve;
    Post "/admin/collections/:id" (Admin, ONE, UPDATE) => update;
    Delete "/admin/collections/:id" (Admin, ONE) => delete;
    Post "/admin/collections/:id/products" (Admin, ONE, LINK) => link_products;
}

static RESOURCE: Resource = Resource {
    entity: "product_collection",
    one: "collection",
    many: "collections",
    fields: &["id", "title", "handle", "external_id", "created_at", "updated_at", "metadata"],
    offer: None,
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("title"), any("handle"), date("created_at"), date("updated_at"), date("deleted_at")],
    10,
);
const CREATE: Body =
    &[&[required("title", Type::Text), optional("handle", Type::Text), METADATA, ADDITIONAL_DATA]];
const UPDATE: Body =
    &[&[optional("title", Type::Text), optional("handle", Type::Text), METADATA, ADDITIONAL_DATA]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESOURCE, call, Vec::new())
}

async fn create(call: Call) -> Result<Reply, Fault> {
    create_by(&RESOURCE, call, &CREATE_COLLECTIONS).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESOURCE, &call, not_found)
}

fn not_found(id: &str) -> String {
    format!("Collection with id: {id} was not found")
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&RESOURCE, call, &UPDATE_COLLECTIONS).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "collection", &DELETE_COLLECTIONS).await
}

async fn link_products(call: Call) -> Result<Reply, Fault> {
    link_by(&RESOURCE, call, &LINK_PRODUCTS_TO_COLLECTION, &COLLECTIONS, not_found).await
}
