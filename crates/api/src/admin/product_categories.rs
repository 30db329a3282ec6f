//! `/admin/product-categories`

use atoll_flows::product::{
    CREATE_PRODUCT_CATEGORIES, DELETE_PRODUCT_CATEGORIES, LINK_PRODUCTS_TO_CATEGORY,
    UPDATE_PRODUCT_CATEGORIES,
};
use atoll_kernel::{Body, Call, Fault, Field, Params, Reply, Resource, Type, optional, required, routes};
use atoll_product::CATEGORIES;

use crate::{
    category_tree::{ONE_IN_TREE, show_trees},
    reply::{create_by, find, link_by, page, remove_by, update_by},
    tables::{LINK, METADATA, ONE, any, any_or_null, date, flag, list, text},
};

routes! {
    of RESOURCE;
    Get "/admin/product-categories" (Admin, LIST) => index;
    Post "/admin/product-categories" (Admin, ONE_IN_TREE, CREATE) => create;
    Get "/admin/product-categories/:id" (Admin, ONE_IN_TREE) => retrieve;
    Post "/admin/product-categories/:id" (Admin, ONE_IN_TREE, UPDATE) => update;
    Delete "/admin/product-categories/:id" (Admin, ONE) => delete;
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
    offer: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        any("description"),
        any("handle"),
        any_or_null("parent_category_id"),
        flag("include_ancestors_tree"),
        flag("include_descendants_tree"),
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

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESOURCE, show_trees(call), Vec::new())
}

async fn create(call: Call) -> Result<Reply, Fault> {
    create_by(&RESOURCE, show_trees(call), &CREATE_PRODUCT_CATEGORIES).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESOURCE, &show_trees(call), not_found)
}

fn not_found(id: &str) -> String {
    format!("Product category with id: {id} was not found")
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&RESOURCE, show_trees(call), &UPDATE_PRODUCT_CATEGORIES).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "product_category", &DELETE_PRODUCT_CATEGORIES).await
}

async fn link_products(call: Call) -> Result<Reply, Fault> {
    link_by(&RESOURCE, call, &LINK_PRODUCTS_TO_CATEGORY, &CATEGORIES, not_found).await
}
