//! Store routes of product categories: `/store/product-categories`.

use atoll_kernel::{
    http::{Params, Resource},
    query::StoreFields,
};

use crate::{
    category_tree::{ANCESTORS_TREE, DESCENDANTS_TREE, ONE_IN_TREE, show_trees},
    crud::crud,
    tables::{any, any_or_null, date, list},
};

crud! {
    of RESOURCE at "/store/product-categories" for Store;
    called "a product category that is active and public" / "active, public product categories";
    not_found "Product category with id: {} was not found";
    /// Related products are those that the key shows.
    page LIST through show_trees;
    find ONE_IN_TREE through show_trees;
}

static RESOURCE: Resource = Resource {
    entity: "product_category",
    one: "product_category",
    many: "product_categories",
    fields: &[
        "id", "name", "description", "handle", "rank", "external_id", "parent_category_id", "created_at",
        "updated_at", "metadata", "*parent_category", "*category_children",
    ],
    store_fields: Some(StoreFields {
        whole: &["parent_category", "category_children", "products"],
        parts: &[],
    }),
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
