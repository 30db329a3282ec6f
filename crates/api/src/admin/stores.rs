//! `/admin/stores`

use atoll_kernel::{Body, Call, Fault, Params, Read, Reply, Resource, Type, optional, required, routes};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_store::{STORES, StorePatch};

use crate::{
    reply::{find, page, save},
    tables::{METADATA, ONE, any, list, text},
};

routes! {
    of STORE;
    /// Lists the stores. There is one.
    Get "/admin/stores" (Admin, LIST) => index;
    /// Shows a store.
    Get "/admin/stores/:id" (Admin, ONE) => retrieve;
    /// Updates a store: its name, its currencies, and its default sales channel, region and location.
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
    offer: None,
    renamed: &[],
};

const LIST: Params = list(&[any("id"), any("name")], 50);
const CURRENCY: Type = Type::Object(&[
    required("currency_code", Type::Text),
    optional("is_default", Type::Bool),
    optional("is_tax_inclusive", Type::Bool),
]);
const UPDATE: Body = &[&[
    optional("name", Type::Text),
    optional("supported_currencies", Type::List(&CURRENCY)),
    text("default_sales_channel_id"),
    text("default_region_id"),
    text("default_location_id"),
    METADATA,
]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&STORE, &call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&STORE, &call, |id| format!("Store with id: {id} was not found"))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (id, patch) = (call.path("id").to_owned(), call.read::<StorePatch>()?);
    save(&STORE, call, move |tx, at| {
        if !STORES.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("Store with id \"{id}\" not found")));
        }
        if let Some(Some(channel)) = &patch.default_sales_channel_id {
            check_default(tx, channel)?;
        }
        Ok(atoll_store::update(tx, at, &id, patch)?)
    })
    .await
}

/// A default that sells nothing would leave carts without a channel.
fn check_default(tx: &dyn Read, channel: &str) -> Result<(), Fault> {
    match SALES_CHANNELS.get(tx, channel)? {
        None => Err(Fault::not_found(format!("Sales channel with id: {channel} not found"))),
        Some(channel) if channel.is_disabled => {
            Err(Fault::not_allowed(format!("Sales channel {} is disabled", channel.name)))
        }
        Some(_) => Ok(()),
    }
}
