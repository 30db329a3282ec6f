//! `/store/product-tags`

use atoll_kernel::{Call, Fault, Offer, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    of RESOURCE;
    Get "/store/product-tags" (Store, LIST) => index;
    Get "/store/product-tags/:id" (Store, ONE) => retrieve;
}

static RESOURCE: Resource = Resource {
    entity: "product_tag",
    one: "product_tag",
    many: "product_tags",
    fields: &["id", "value", "external_id", "created_at", "updated_at", "metadata", "*products"],
    offer: Some(Offer { whole: &["products"], parts: &[] }),
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 50);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESOURCE, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESOURCE, &call, |id| format!("Product tag with id: {id} was not found"))
}
