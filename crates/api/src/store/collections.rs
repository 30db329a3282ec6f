//! Store routes of product collections: `/store/collections`.

use atoll_kernel::{
    http::{Call, Params, Resource},
    query::StoreFields,
};

use crate::{
    crud::crud,
    tables::{ONE, any, date, list},
};

crud! {
    of RESOURCE at "/store/collections" for Store;
    called "a collection" / "collections";
    not_found "Collection with id: {} was not found";
    /// The newest come first, unless `order` says otherwise. Related products are those that the key shows.
    page LIST through newest_first;
    find ONE;
}

static RESOURCE: Resource = Resource {
    entity: "product_collection",
    one: "collection",
    many: "collections",
    fields: &["id", "title", "handle", "external_id", "created_at", "updated_at"],
    store_fields: Some(StoreFields { whole: &["products"], parts: &[] }),
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("title"), any("handle"), date("created_at"), date("updated_at"), date("deleted_at")],
    10,
);

/// Newest first: ids are ordered by time.
fn newest_first(mut call: Call) -> Call {
    call.params.order.get_or_insert_with(|| "-id".into());
    call
}
