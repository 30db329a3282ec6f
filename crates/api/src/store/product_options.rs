//! Store routes of product options: `/store/product-options`.

use atoll_kernel::{
    http::{Params, Resource},
    query::StoreFields,
};

use crate::{
    crud::crud,
    tables::{ONE, any, date, flag, list},
};

crud! {
    of RESOURCE at "/store/product-options" for Store;
    called "a product option" / "product options";
    not_found "Product option with id: {} was not found";
    page LIST;
    find ONE;
}

static RESOURCE: Resource = Resource {
    entity: "product_option",
    one: "product_option",
    many: "product_options",
    fields: &["id", "title", "is_exclusive", "created_at", "updated_at", "metadata", "*values"],
    store_fields: Some(StoreFields { whole: &["values"], parts: &[] }),
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
