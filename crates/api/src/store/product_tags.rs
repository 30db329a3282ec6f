//! Store routes of product tags: `/store/product-tags`.

use atoll_kernel::{
    http::{Params, Resource},
    query::StoreFields,
};

use crate::{
    crud::crud,
    tables::{ONE, any, date, list},
};

crud! {
    of RESOURCE at "/store/product-tags" for Store;
    called "a product tag" / "product tags";
    not_found "Product tag with id: {} was not found";
    /// Related products are those that the key shows.
    page LIST;
    find ONE;
}

static RESOURCE: Resource = Resource {
    entity: "product_tag",
    one: "product_tag",
    many: "product_tags",
    fields: &["id", "value", "external_id", "created_at", "updated_at", "metadata", "*products"],
    store_fields: Some(StoreFields { whole: &["products"], parts: &[] }),
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 50);
