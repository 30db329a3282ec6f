//! `/admin/stock-locations`

use atoll_flows::{
    sales_channel::LINK_SALES_CHANNELS_TO_STOCK_LOCATION, stock_location::DELETE_STOCK_LOCATIONS,
};
use atoll_kernel::{
    Body, Call, Entity, Fault, Field, Params, Reply, Resource, Type, joined, optional, required, routes,
    serde_json::Value,
};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation, StockLocationAddress, StockLocationPatch};

use crate::{
    reply::{find, link_ids, page, perform, remove_by, save},
    tables::{LINK, METADATA, ONE, any, date, list, nested, text, under},
};

routes! {
    of STOCK_LOCATION;
    /// Lists the stock locations.
    Get "/admin/stock-locations" (Admin, LIST) => index;
    /// Creates a stock location. It serves no sales channel until it is linked to one.
    Post "/admin/stock-locations" (Admin, ONE, CREATE) => create;
    /// Shows a stock location.
    Get "/admin/stock-locations/:id" (Admin, ONE) => retrieve;
    /// Updates a stock location. Fields that are absent stay as they are.
    Post "/admin/stock-locations/:id" (Admin, ONE, UPDATE) => update;
    /// Deletes a stock location. One with stock or reservations is refused.
    Delete "/admin/stock-locations/:id" (Admin, ONE) => delete;
}

routes! {
    with "sales_channels";
    of STOCK_LOCATION;
    /// Links a stock location to sales channels, and unlinks others. A channel sells the stock of its
    /// locations.
    Post "/admin/stock-locations/:id/sales-channels" (Admin, ONE, LINK) => link_channels;
}

static STOCK_LOCATION: Resource = Resource {
    entity: "stock_location",
    one: "stock_location",
    many: "stock_locations",
    fields: joined![
        ["id", "name", "metadata", "created_at", "updated_at"],
        under!("address": "id", "address_1", "address_2", "city", "country_code", "phone", "province",
            "postal_code", "metadata"),
    ],
    offer: None,
    renamed: &[("address_id", "address.id"), ("sales_channel_id", "sales_channels.id")],
};

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        any("address_id"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        any("sales_channel_id"),
        nested("sales_channels", &[any("id"), any("name")]),
    ],
    20,
);
const ADDRESS: Type = Type::Object(&[
    required("address_1", Type::Text),
    required("country_code", Type::Text),
    text("address_2"),
    text("company"),
    text("city"),
    text("phone"),
    text("postal_code"),
    text("province"),
]);
const CREATE: Body = &[&[required("name", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text)], MORE];
const MORE: &[Field] = &[optional("address", ADDRESS).or_null(), METADATA];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&STOCK_LOCATION, &call, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let mut location: StockLocation = call.read()?;
    location.name = location.name.trim().to_owned();
    save(&STOCK_LOCATION, call, move |tx, at| {
        if let Some(address) = &mut location.address {
            address.born(at.id(), at.now());
        }
        Ok(STOCK_LOCATIONS.create(tx, at, location)?)
    })
    .await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&STOCK_LOCATION, &call, |id| format!("Stock location with id: {id} was not found"))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let given = call.body().get("address").cloned();
    let (id, mut patch) = (call.path("id").to_owned(), call.read::<StockLocationPatch>()?);
    patch.name = patch.name.map(|it| it.trim().to_owned());
    save(&STOCK_LOCATION, call, move |tx, at| {
        if let (Some(Some(address)), Some(given)) = (&mut patch.address, &given) {
            match STOCK_LOCATIONS.retrieve(tx, &id)?.address {
                // It stays the address that it was, with what the request says.
                Some(before) => *address = changed(&before, given)?,
                None => address.born(at.id(), at.now()),
            }
        }
        Ok(STOCK_LOCATIONS.update(tx, at, &id, patch)?)
    })
    .await
}

/// An address with other values in the fields that are given.
fn changed(before: &StockLocationAddress, given: &Value) -> Result<StockLocationAddress, Fault> {
    let mut fields = serde_json::to_value(before).map_err(Fault::unexpected)?;
    if let (Value::Object(fields), Value::Object(given)) = (&mut fields, given) {
        fields.extend(given.clone());
    }
    serde_json::from_value(fields).map_err(|error| Fault::invalid(format!("Invalid request: {error}")))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "stock_location", &DELETE_STOCK_LOCATIONS).await
}

async fn link_channels(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&STOCK_LOCATION, call, move |flow| {
        let id = ids.id.clone();
        flow.run(&LINK_SALES_CHANNELS_TO_STOCK_LOCATION, ids)?;
        Ok(STOCK_LOCATIONS.retrieve(flow.tx, &id)?)
    })
    .await
}
