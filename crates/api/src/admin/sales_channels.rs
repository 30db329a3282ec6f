//! `/admin/sales-channels`

use atoll_flows::sales_channel::{
    CREATE_SALES_CHANNELS, DELETE_SALES_CHANNELS, LINK_PRODUCTS_TO_SALES_CHANNEL, UPDATE_SALES_CHANNELS,
};
use atoll_kernel::{
    AllOf, Body, Call, Fault, Field, Ids, Params, Reply, Resource, Type, optional, required, routes,
};
use atoll_links::{PUBLISHABLE_API_KEY_SALES_CHANNEL, SALES_CHANNEL_STOCK_LOCATION};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel, SalesChannelPatch};

use crate::{
    reply::{find, link_ids, only, page, perform, remove_by},
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

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let channel: SalesChannel = call.read()?;
    perform(&SALES_CHANNEL, call, move |flow| only(flow.run(&CREATE_SALES_CHANNELS, vec![channel.clone()])?))
        .await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&SALES_CHANNEL, &call, |id| format!("Sales channel with id: {id} not found"))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let input = (call.path("id").to_owned(), call.read::<SalesChannelPatch>()?);
    perform(&SALES_CHANNEL, call, move |flow| flow.run(&UPDATE_SALES_CHANNELS, input.clone())).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "sales-channel", &DELETE_SALES_CHANNELS).await
}

async fn link_products(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&SALES_CHANNEL, call, move |flow| {
        flow.run(&LINK_PRODUCTS_TO_SALES_CHANNEL, ids.clone())?;
        Ok(SALES_CHANNELS.retrieve(flow.tx, &ids.id)?)
    })
    .await
}
