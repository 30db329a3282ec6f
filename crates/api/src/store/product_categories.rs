//! `/store/product-categories`

use atoll_kernel::{Call, Fault, Offer, Params, Reply, Resource, routes};

use crate::{
    gate::scope,
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    of RESOURCE;
    Get "/store/product-categories" (Store, LIST) => index;
    Get "/store/product-categories/:id" (Store, ONE) => retrieve;
}

static RESOURCE: Resource = Resource {
    entity: "product_category",
    one: "product_category",
    many: "product_categories",
    fields: &[
        "id", "name", "description", "handle", "rank", "external_id", "parent_category_id", "created_at",
        "updated_at", "metadata", "*parent_category", "*category_children",
    ],
    offer: Some(Offer { whole: &["parent_category", "category_children", "products"], parts: &[] }),
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        any("description"),
        any("handle"),
        any("parent_category_id"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);

async fn index(call: Call) -> Result<Reply, Fault> {
    let shown = scope(&call).categories();
    page(&RESOURCE, call, vec![shown])
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let not_found = |id: &str| format!("Product category with id: {id} was not found");
    let id = call.path("id");
    if scope(&call).categories().contains(&call.app.view(), id)? {
        return find(&RESOURCE, &call, not_found);
    }
    Err(Fault::not_found(not_found(id)))
}
