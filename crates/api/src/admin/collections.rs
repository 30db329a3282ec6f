//! Admin routes of product collections: `/admin/collections`.

use atoll_flows::product::{
    CREATE_COLLECTIONS, DELETE_COLLECTIONS, LINK_PRODUCTS_TO_COLLECTION, UPDATE_COLLECTIONS,
};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Params, Reply, Resource, Type, optional, required},
    routes,
};
use atoll_product::COLLECTIONS;

use crate::{
    crud::crud,
    reply::link_by,
    tables::{ADDITIONAL_DATA, LINK, METADATA, ONE, any, date, list},
};

crud! {
    of RESOURCE at "/admin/collections" for Admin;
    called "a collection" / "collections";
    not_found "Collection with id: {} was not found";
    page LIST;
    find ONE;
    create ONE, CREATE by CREATE_COLLECTIONS;
    update ONE, UPDATE by UPDATE_COLLECTIONS;
    delete "collection" by DELETE_COLLECTIONS;
}

routes! {
    of RESOURCE;
    /// Puts products into a collection, and takes others out.
    Post "/admin/collections/:id/products" (Admin, ONE, LINK) => link_products;
}

static RESOURCE: Resource = Resource {
    entity: "product_collection",
    one: "collection",
    many: "collections",
    fields: &["id", "title", "handle", "external_id", "created_at", "updated_at", "metadata"],
    store_fields: None,
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

async fn link_products(call: Call) -> Result<Reply, Fault> {
    link_by(&RESOURCE, call, &LINK_PRODUCTS_TO_COLLECTION, &COLLECTIONS, not_found).await
}
