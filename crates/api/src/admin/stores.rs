//! Admin routes of the store: `/admin/stores`.

use atoll_flows::store::{StoreChanges, UPDATE_STORES};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Params, Reply, Resource, Type, optional, required},
    routes,
};

use crate::{
    crud::crud,
    reply::perform,
    tables::{METADATA, ONE, any, list, text},
};

crud! {
    of STORE at "/admin/stores" for Admin;
    called "a store" / "stores";
    not_found "Store with id: {} was not found";
    /// There is one.
    page LIST;
    find ONE;
}

routes! {
    of STORE;
    /// Updates a store: its name, its currencies, and its default sales channel, region and location. Fields
    /// that are absent stay as they are.
    Post "/admin/stores/:id" (Admin, ONE, UPDATE) => update;
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
    optional("is_tax_inclusive", Type::Bool).about(
        "Whether prices in the currency include tax: a price preference, and no field of the currency.",
    ),
]);
const UPDATE: Body = &[&[
    optional("name", Type::Text),
    optional("supported_currencies", Type::List(&CURRENCY)),
    text("default_sales_channel_id"),
    text("default_region_id"),
    text("default_location_id"),
    optional("require_shipping", Type::Bool).or_null(),
    METADATA,
]];

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let currencies = call.body()["supported_currencies"].as_array().into_iter().flatten();
    let tax_inclusive = currencies
        .filter_map(|it| Some((it["currency_code"].as_str()?.to_owned(), it["is_tax_inclusive"].as_bool()?)))
        .collect();
    let changes = StoreChanges { id: call.path("id").to_owned(), patch: call.read()?, tax_inclusive };
    perform(&STORE, call, move |flow| flow.run(&UPDATE_STORES, changes)).await
}
