//! `/store/product-options`

use atoll_kernel::{Call, Fault, Offer, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, flag, list},
};

routes! {
    of RESOURCE;
    Get "/store/product-options" (Store, LIST) => index;
    Get "/store/product-options/:id" (Store, ONE) => retrieve;
}

static RESOURCE: Resource = Resource {
    entity: "product_option",
    one: "product_option",
    many: "product_options",
    fields: &["id", "title", "is_exclusive", "created_at", "updated_at", "metadata", "*values"],
    offer: Some(Offer { whole: &["values"], parts: &[] }),
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("title"),
        flag("is_exclusive"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESOURCE, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESOURCE, &call, |id| format!("Product option with id: {id} was not found"))
}
