//! Store routes of product types: `/store/product-types`.

use atoll_kernel::{
    http::{Params, Resource},
    query::StoreFields,
};

use crate::{
    crud::crud,
    tables::{ONE, any, date, list},
};

crud! {
    of RESOURCE at "/store/product-types" for Store;
    called "a product type" / "product types";
    not_found "Product type with id: {} was not found";
    /// Related products are those that the key shows.
    page LIST;
    find ONE;
}

static RESOURCE: Resource = Resource {
    entity: "product_type",
    one: "product_type",
    many: "product_types",
    fields: &["id", "value", "external_id", "created_at", "updated_at", "metadata", "*products"],
    store_fields: Some(StoreFields { whole: &["products"], parts: &[] }),
    renamed: &[],
};

const LIST: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 50);
