//! Store routes of product categories: `/store/product-categories`.

use atoll_kernel::{
    Fault,
    http::{Call, Params, Reply, Resource},
    query::Offer,
    routes,
};

use crate::{
    category_tree::{ANCESTORS_TREE, DESCENDANTS_TREE, ONE_IN_TREE, show_trees},
    gate::scope,
    reply::{find, page},
    tables::{any, any_or_null, date, list},
};

routes! {
    of RESOURCE;
    /// Lists the active, public product categories. Related products are those that the key shows.
    Get "/store/product-categories" (Store, LIST) => index;
    /// Shows a product category that is active and public.
    Get "/store/product-categories/:id" (Store, ONE_IN_TREE) => retrieve;
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
        any_or_null("parent_category_id"),
        ANCESTORS_TREE,
        DESCENDANTS_TREE,
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);

async fn index(call: Call) -> Result<Reply, Fault> {
    let shown = scope(&call).categories();
    page(&RESOURCE, &show_trees(call), vec![shown])
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    let not_found = |id: &str| format!("Product category with id: {id} was not found");
    let id = call.path("id").to_owned();
    if scope(&call).categories().contains(&call.view, &id)? {
        return find(&RESOURCE, &show_trees(call), not_found);
    }
    Err(Fault::not_found(not_found(&id)))
}
