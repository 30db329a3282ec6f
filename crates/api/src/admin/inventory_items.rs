//! `/admin/inventory-items`

use atoll_inventory::{
    INVENTORY_ITEMS, InventoryItem, InventoryItemPatch, InventoryLevel, create_level, delete_level, set_level,
};
use atoll_kernel::{
    Body, Call, Comparison, Condition, Conditions, Decimal, Fault, Field, Moment, Param, ParamKind, Params,
    Reply, Resource, Type, Write, optional, required, routes, serde_json::json,
};
use atoll_stock_location::STOCK_LOCATIONS;
use serde::Deserialize;

use crate::{
    reply::{context, find, page, save},
    tables::{METADATA, ONE, any, date, flag, list, number, text},
};

routes! {
    Get "/admin/inventory-items" (Admin, LIST) => index;
    Post "/admin/inventory-items" (Admin, ONE, CREATE) => create;
    Get "/admin/inventory-items/:id" (Admin, ONE) => retrieve;
    Post "/admin/inventory-items/:id" (Admin, ONE, UPDATE) => update;
    Get "/admin/inventory-items/:id/location-levels" (Admin, LEVELS) => levels;
    Post "/admin/inventory-items/:id/location-levels" (Admin, ONE, CREATE_LEVEL) => add_level;
    Post "/admin/inventory-items/:id/location-levels/:location_id" (Admin, ONE, UPDATE_LEVEL) => change_level;
    Delete "/admin/inventory-items/:id/location-levels/:location_id" (Admin, ONE) => remove_level;
}

static ITEM: Resource = Resource {
    entity: "inventory_item",
    one: "inventory_item",
    many: "inventory_items",
    fields: &[
        "id", "sku", "title", "description", "thumbnail", "origin_country", "hs_code", "requires_shipping",
        "mid_code", "material", "unit_of_measure", "weight", "length", "height", "width", "metadata",
        "reserved_quantity", "stocked_quantity", "created_at", "updated_at", "*location_levels",
    ],
    offer: None,
    renamed: &[],
};

static LEVEL: Resource = Resource {
    entity: "inventory_level",
    one: "inventory_level",
    many: "inventory_levels",
    fields: &[
        "id", "inventory_item_id", "location_id", "stocked_quantity", "reserved_quantity",
        "incoming_quantity", "available_quantity", "metadata", "created_at", "updated_at",
    ],
    offer: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("sku"),
        any("origin_country"),
        any("mid_code"),
        any("hs_code"),
        any("material"),
        flag("requires_shipping"),
        Param::new("weight", ParamKind::Number),
        Param::new("length", ParamKind::Number),
        Param::new("height", ParamKind::Number),
        Param::new("width", ParamKind::Number),
        date("created_at"),
        date("updated_at"),
        Param::new("location_levels", ParamKind::Nested(&[any("location_id")])),
    ],
    20,
);
const LEVELS: Params = list(&[any("location_id")], 50);

const CREATE_LEVEL: Body = &[LEVEL_FIELDS];
const LEVEL_FIELDS: &[Field] = &[
    required("location_id", Type::Text),
    optional("stocked_quantity", Type::NotNegative),
    optional("incoming_quantity", Type::NotNegative),
];
const UPDATE_LEVEL: Body =
    &[&[optional("stocked_quantity", Type::NotNegative), optional("incoming_quantity", Type::NotNegative)]];
const CREATE: Body = &[MORE, &[optional("location_levels", Type::List(&Type::Object(LEVEL_FIELDS)))]];
const UPDATE: Body = &[MORE];
const MORE: &[Field] = &[
    text("sku"),
    text("hs_code"),
    text("origin_country"),
    text("mid_code"),
    text("material"),
    text("title"),
    text("description"),
    text("thumbnail"),
    text("unit_of_measure"),
    number("weight"),
    number("length"),
    number("height"),
    number("width"),
    optional("requires_shipping", Type::Bool),
    METADATA,
];

/// What a body says of a level.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct LevelInput {
    location_id: String,
    stocked_quantity: Option<Decimal>,
    incoming_quantity: Option<Decimal>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NewItem {
    location_levels: Vec<LevelInput>,
}

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&ITEM, call, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let extras: NewItem =
        serde_json::from_value(call.body().clone()).map_err(|error| Fault::invalid(error.to_string()))?;
    let item: InventoryItem = call.read()?;
    save(&ITEM, call, move |tx, at| {
        let item = INVENTORY_ITEMS.create(tx, at, item.clone())?;
        for level in &extras.location_levels {
            stock_at(tx, at, &item.id, level)?;
        }
        Ok(item)
    })
    .await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&ITEM, &call, |id| format!("Inventory item with id: {id} was not found"))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (id, patch) = (call.path("id").to_owned(), call.read::<InventoryItemPatch>()?);
    save(&ITEM, call, move |tx, at| {
        if !INVENTORY_ITEMS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("InventoryItem with id \"{id}\" not found")));
        }
        Ok(INVENTORY_ITEMS.update(tx, at, &id, patch.clone())?)
    })
    .await
}

async fn levels(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let of_item =
        Condition { path: vec!["inventory_item_id"], comparison: Comparison::In, values: vec![Some(id)] };
    call.params.filters.push(Conditions::One(of_item));
    page(&LEVEL, call, Vec::new())
}

async fn add_level(mut call: Call) -> Result<Reply, Fault> {
    let (id, input) = (call.path("id").to_owned(), call.read::<LevelInput>()?);
    save(&ITEM, call, move |tx, at| {
        stock_at(tx, at, &id, &input)?;
        Ok(INVENTORY_ITEMS.retrieve(tx, &id)?)
    })
    .await
}

fn stock_at(
    tx: &mut dyn Write,
    at: &Moment,
    item: &str,
    input: &LevelInput,
) -> Result<InventoryLevel, Fault> {
    let location = &input.location_id;
    if !STOCK_LOCATIONS.table.exists(tx, location)? {
        return Err(Fault::not_found(format!("Stock locations with ids: {location} was not found")));
    }
    if !INVENTORY_ITEMS.table.exists(tx, item)? {
        return Err(Fault::not_found(format!(
            "You tried to set relationship inventory_item_id: {item}, but such entity does not exist"
        )));
    }
    let level = InventoryLevel {
        inventory_item_id: item.into(),
        location_id: location.clone(),
        stocked_quantity: input.stocked_quantity.unwrap_or_default(),
        incoming_quantity: input.incoming_quantity.unwrap_or_default(),
        ..InventoryLevel::default()
    };
    Ok(create_level(tx, at, level)?)
}

async fn change_level(mut call: Call) -> Result<Reply, Fault> {
    let (id, location) = (call.path("id").to_owned(), call.path("location_id").to_owned());
    let input: LevelInput = call.read()?;
    save(&ITEM, call, move |tx, at| {
        set_level(tx, at, &id, &location, input.stocked_quantity, input.incoming_quantity)?;
        Ok(INVENTORY_ITEMS.retrieve(tx, &id)?)
    })
    .await
}

async fn remove_level(call: Call) -> Result<Reply, Fault> {
    let (id, location) = (call.path("id").to_owned(), call.path("location_id").to_owned());
    let remove = {
        let id = id.clone();
        move |tx: &mut dyn Write, at: &Moment| {
            let level = atoll_inventory::level_at(tx, &id, &location)?;
            if level
                .is_some_and(|level| !level.stocked_quantity.is_zero() && level.reserved_quantity.is_zero())
            {
                return Err(Fault::not_allowed(format!(
                    "Cannot remove Inventory Levels for {location} because there are stocked items at the locations. Use \
                     force flag to delete anyway."
                )));
            }
            Ok(delete_level(tx, at, &id, &location)?)
        }
    };
    let (level, view) = call.app.write(call.pass.actor.clone(), remove).await?;
    let parent = ITEM.find(&view, &context(&call), &id, call.params.fields.as_deref())?;
    let parent: serde_json::Value = match parent {
        Some(reply) => serde_json::from_slice(&reply.json).map_err(Fault::unexpected)?,
        None => json!({}),
    };
    Ok(Reply::json(&json!({
        "id": level.id, "object": "inventory-level", "deleted": true, "parent": parent["inventory_item"],
    })))
}
