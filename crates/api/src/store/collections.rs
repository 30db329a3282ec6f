//! `/store/collections`

use atoll_kernel::{Call, Fault, Offer, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    of RESOURCE;
    Get "/store/collections" (Store, LIST) => index;
    Get "/store/collections/:id" (Store, ONE) => retrieve;
}

static RESOURCE: Resource = Resource {
    entity: "product_collection",
    one: "collection",
    many: "collections",
    fields: &["id", "title", "handle", "external_id", "created_at", "updated_at"],
    offer: Some(Offer { whole: &["products"], parts: &[] }),
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("title"), any("handle"), date("created_at"), date("updated_at"), date("deleted_at")],
    10,
);

async fn index(mut call: Call) -> Result<Reply, Fault> {
    // The newest come first: ids sort by time.
    call.params.order.get_or_insert_with(|| "-id".into());
    page(&RESOURCE, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESOURCE, &call, |id| format!("Collection with id: {id} was not found"))
}
