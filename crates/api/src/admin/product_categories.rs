//! Admin routes of product categories: `/admin/product-categories`.

use atoll_flows::product::{
    CREATE_PRODUCT_CATEGORIES, DELETE_PRODUCT_CATEGORIES, LINK_PRODUCTS_TO_CATEGORY,
    UPDATE_PRODUCT_CATEGORIES,
};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Field, Params, Reply, Resource, Type, optional, required},
    routes,
};
use atoll_product::CATEGORIES;

use crate::{
    category_tree::{ANCESTORS_TREE, DESCENDANTS_TREE, ONE_IN_TREE, show_trees},
    crud::crud,
    reply::link_by,
    tables::{LINK, METADATA, ONE, any, any_or_null, date, flag, list, text},
};

crud! {
    of RESOURCE at "/admin/product-categories" for Admin;
    called "a product category" / "product categories";
    not_found "Product category with id: {} was not found";
    /// With `include_descendants_tree=true` or `include_ancestors_tree=true` each comes with its tree.
    page LIST through show_trees;
    find ONE_IN_TREE through show_trees;
    create ONE_IN_TREE, CREATE by CREATE_PRODUCT_CATEGORIES through show_trees;
    update ONE_IN_TREE, UPDATE by UPDATE_PRODUCT_CATEGORIES through show_trees;
    /// One with children is refused.
    delete "product_category" by DELETE_PRODUCT_CATEGORIES;
}

routes! {
    of RESOURCE;
    /// Puts products into a category, and takes others out.
    Post "/admin/product-categories/:id/products" (Admin, ONE, LINK) => link_products;
}

static RESOURCE: Resource = Resource {
    entity: "product_category",
    one: "product_category",
    many: "product_categories",
    fields: &[
        "id", "name", "description", "handle", "is_active", "is_internal", "rank", "external_id",
        "parent_category_id", "created_at", "updated_at", "metadata", "*parent_category",
        "*category_children",
    ],
    store_fields: None,
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
        flag("is_internal"),
        flag("is_active"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);
const CREATE: Body = &[&[required("name", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text)], MORE];
const MORE: &[Field] = &[
    optional("description", Type::Text),
    optional("handle", Type::Text),
    optional("is_internal", Type::Bool),
    optional("is_active", Type::Bool),
    text("parent_category_id"),
    optional("rank", Type::NotNegative),
    METADATA,
];

async fn link_products(call: Call) -> Result<Reply, Fault> {
    link_by(&RESOURCE, call, &LINK_PRODUCTS_TO_CATEGORY, &CATEGORIES, not_found).await
}
