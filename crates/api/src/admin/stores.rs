//! Admin routes of the store: `/admin/stores`.

use atoll_flows::store::UPDATE_STORES;
use atoll_kernel::http::{Body, Params, Resource, Type, optional, required};

use crate::{
    crud::crud,
    tables::{METADATA, ONE, any, list, text},
};

crud! {
    of STORE at "/admin/stores" for Admin;
    called "a store" / "stores";
    not_found "Store with id: {} was not found";
    /// There is one.
    page LIST;
    find ONE;
    /// It has a name, currencies, and a default sales channel, region and location.
    update ONE, UPDATE by UPDATE_STORES;
}

static STORE: Resource = Resource {
    entity: "store",
    one: "store",
    many: "stores",
    fields: &[
        "id", "name", "*supported_currencies", "*supported_currencies.currency", "default_sales_channel_id",
        "default_region_id", "default_location_id", "metadata", "created_at", "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(&[any("id"), any("name")], 50);
const CURRENCY: Type = Type::Object(&[
    required("currency_code", Type::Text),
    optional("is_default", Type::Bool),
    optional("is_tax_inclusive", Type::Bool).about("Whether prices in the currency include tax."),
]);
const UPDATE: Body = &[&[
    optional("name", Type::Text),
    optional("supported_currencies", Type::List(&CURRENCY)),
    text("default_sales_channel_id"),
    text("default_region_id"),
    text("default_location_id"),
    METADATA,
]];
