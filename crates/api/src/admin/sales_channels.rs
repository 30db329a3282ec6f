//! `/admin/sales-channels`

use atoll_flows::sales_channel::{
    CREATE_SALES_CHANNELS, DELETE_SALES_CHANNELS, LINK_PRODUCTS_TO_SALES_CHANNEL, LinkIds,
    UPDATE_SALES_CHANNELS,
};
use atoll_kernel::{
    AllOf, Body, Call, Fault, Field, Ids, Params, Reply, Resource, Type, optional, required, routes,
};
use atoll_links::{PUBLISHABLE_API_KEY_SALES_CHANNEL, SALES_CHANNEL_STOCK_LOCATION};
use atoll_sales_channel::SALES_CHANNELS;

use crate::{
    reply::{create_by, find, link_by, page, perform, remove_by, update_by},
    tables::{LINK, METADATA, ONE, any, date, flag, list, text},
};

routes! {
    with "sales_channels";
    Get "/admin/sales-channels" (Admin, LIST) => index;
    Post "/admin/sales-channels" (Admin, ONE, CREATE) => create;
    Get "/admin/sales-channels/:id" (Admin, ONE) => retrieve;
    Post "/admin/sales-channels/:id" (Admin, ONE, UPDATE) => update;
    Delete "/admin/sales-channels/:id" (Admin, ONE) => delete;
    Post "/admin/sales-channels/:id/products" (Admin, ONE, LINK) => link_products;
    Post "/admin/sales-channels/:id/products/batch" (Admin, ONE, OLD_LINK) => link_old;
    Delete "/admin/sales-channels/:id/products/batch" (Admin, ONE, OLD_LINK) => unlink_old;
}

static SALES_CHANNEL: Resource = Resource {
    entity: "sales_channel",
    one: "sales_channel",
    many: "sales_channels",
    fields: &[
        "id", "name", "description", "is_disabled", "created_at", "updated_at", "deleted_at", "metadata",
    ],
    offer: None,
    renamed: &[],
};

/// How the older API names products.
const OLD_LINK: Body =
    &[&[required("product_ids", Type::List(&Type::Object(&[required("id", Type::Text)])))]];

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        any("description"),
        flag("is_disabled"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        any("location_id"),
        any("publishable_key_id"),
    ],
    20,
);
const CREATE: Body = &[&[required("name", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text)], MORE];
const MORE: &[Field] = &[text("description"), optional("is_disabled", Type::Bool), METADATA];

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let mut within: Vec<Box<dyn Ids>> = Vec::new();
    if let Some(locations) = call.params.take("location_id") {
        let of = |id| Box::new(SALES_CHANNEL_STOCK_LOCATION.lefts_set(id)) as Box<dyn Ids>;
        within.push(Box::new(AllOf(locations.into_iter().map(of).collect())));
    }
    if let Some(keys) = call.params.take("publishable_key_id") {
        let of = |id| Box::new(PUBLISHABLE_API_KEY_SALES_CHANNEL.rights_set(id)) as Box<dyn Ids>;
        within.push(Box::new(AllOf(keys.into_iter().map(of).collect())));
    }
    page(&SALES_CHANNEL, call, within)
}

async fn create(call: Call) -> Result<Reply, Fault> {
    create_by(&SALES_CHANNEL, call, &CREATE_SALES_CHANNELS).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&SALES_CHANNEL, &call, not_found)
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&SALES_CHANNEL, call, &UPDATE_SALES_CHANNELS).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "sales-channel", &DELETE_SALES_CHANNELS).await
}

async fn link_products(call: Call) -> Result<Reply, Fault> {
    link_by(&SALES_CHANNEL, call, &LINK_PRODUCTS_TO_SALES_CHANNEL, &SALES_CHANNELS, not_found).await
}

fn not_found(id: &str) -> String {
    format!("Sales channel with id: {id} not found")
}

/// The ids of a body of the older API.
fn old_ids(call: &Call) -> Vec<String> {
    let items = call.body()["product_ids"].as_array().into_iter().flatten();
    items.filter_map(|it| it["id"].as_str()).map(str::to_owned).collect()
}

async fn link_old(call: Call) -> Result<Reply, Fault> {
    let add = old_ids(&call);
    let ids = LinkIds { id: call.path("id").to_owned(), add, remove: Vec::new() };
    link(call, ids).await
}

async fn unlink_old(call: Call) -> Result<Reply, Fault> {
    let remove = old_ids(&call);
    let ids = LinkIds { id: call.path("id").to_owned(), add: Vec::new(), remove };
    link(call, ids).await
}

async fn link(call: Call, ids: LinkIds) -> Result<Reply, Fault> {
    perform(&SALES_CHANNEL, call, move |flow| {
        flow.run(&LINK_PRODUCTS_TO_SALES_CHANNEL, ids.clone())?;
        Ok(SALES_CHANNELS.retrieve(flow.tx, &ids.id)?)
    })
    .await
}
