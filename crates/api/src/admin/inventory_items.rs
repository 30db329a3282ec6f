//! Admin routes of inventory items and their levels: `/admin/inventory-items`.

use std::sync::Arc;

use atoll_flows::inventory::{
    BATCH_LEVELS, CREATE_INVENTORY_ITEMS, DELETE_INVENTORY_ITEMS, LevelBatch, LevelInput, LevelsDone,
    NewItem, StockTransfer, TRANSFER_INVENTORY, UPDATE_INVENTORY_ITEMS,
};
use atoll_inventory::{INVENTORY_ITEMS, INVENTORY_LEVELS, level_or_not_stocked};
use atoll_kernel::{
    Fault,
    data::Node,
    flow::Local,
    http::{
        Answer, Body, Call, Deleted, Field, Param, ParamKind, Params, Part, Reply, Resource, Type, optional,
        required,
    },
    query::Fields,
    resources, routes,
};

use crate::{
    body::{self, take},
    crud::crud,
    reply::{ids, only, page, perform, records, show_gone, shown},
    tables::{
        BATCH_DELETE, IDS, METADATA, ONE, any, batch_create, batch_update, date, flag, list, nested, number,
        text,
    },
};

crud! {
    of ITEM at "/admin/inventory-items" for Admin;
    called "an inventory item" / "inventory items";
    not_found "Inventory item with id: {} was not found";
    page LIST;
    /// It is shown with its levels.
    find ONE;
    update ONE, UPDATE by UPDATE_INVENTORY_ITEMS;
    /// One with reservations, or one that a kit or a variant with `allow_backorder` needs, is refused.
    delete "inventory_item" by DELETE_INVENTORY_ITEMS;
}

routes! {
    of ITEM;
    /// Creates an inventory item, with levels at locations if they are given.
    Post "/admin/inventory-items" (Admin, ONE, CREATE) => create;
    /// Creates, updates and deletes levels of several inventory items, all or none.
    Post "/admin/inventory-items/location-levels/batch" (Admin, ONE, BATCH) => batch: LEVELS_DONE;
    /// Creates, updates and deletes levels of an inventory item, all or none.
    Post "/admin/inventory-items/:id/location-levels/batch" (Admin, ONE, BATCH_OF_ITEM) => batch_of_item: LEVELS_OF_ITEM_DONE;
    /// Moves stock of an inventory item from one location to another. What is reserved stays where it is.
    Post "/admin/inventory-items/:id/location-levels/transfer" (Admin, ONE, TRANSFER) => transfer;
    /// Lists the levels of an inventory item: how many are at each location.
    Get "/admin/inventory-items/:id/location-levels" (Admin, LEVELS) => levels: Answer::Page(&LEVEL);
    /// Adds an inventory item to a location.
    Post "/admin/inventory-items/:id/location-levels" (Admin, ONE, CREATE_LEVEL) => add_level;
    /// Sets the level of an inventory item at a location. The stock cannot be less than what is reserved.
    Post "/admin/inventory-items/:id/location-levels/:location_id" (Admin, ONE, UPDATE_LEVEL) => change_level;
    /// Removes an inventory item from a location. A level with reservations is refused.
    Delete "/admin/inventory-items/:id/location-levels/:location_id" (Admin, ONE) => remove_level: Answer::DeletedFrom(&ITEM);
}

resources! { LEVEL, WHOLE_LEVEL }

static ITEM: Resource = Resource {
    entity: "inventory_item",
    one: "inventory_item",
    many: "inventory_items",
    fields: &[
        "id", "sku", "title", "description", "thumbnail", "origin_country", "hs_code", "requires_shipping",
        "mid_code", "material", "unit_of_measure", "weight", "length", "height", "width", "metadata",
        "reserved_quantity", "stocked_quantity", "created_at", "updated_at", "*location_levels",
    ],
    store_fields: None,
    renamed: &[],
};

static WHOLE_LEVEL: Resource = Resource {
    fields: &[
        "id", "location_id", "metadata", "inventory_item_id", "raw_stocked_quantity",
        "raw_reserved_quantity", "raw_incoming_quantity", "created_at", "updated_at", "deleted_at",
        "stocked_quantity", "reserved_quantity", "incoming_quantity",
    ],
    ..LEVEL
};

static LEVEL: Resource = Resource {
    entity: "inventory_level",
    one: "inventory_level",
    many: "inventory_levels",
    fields: &[
        "id", "inventory_item_id", "location_id", "stocked_quantity", "reserved_quantity",
        "incoming_quantity", "available_quantity", "metadata", "created_at", "updated_at",
    ],
    store_fields: None,
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
        nested("location_levels", &[any("location_id")]),
        nested("variants", &[any("id"), any("sku"), any("product_id")]),
    ],
    20,
);
const LEVELS: Params = list(&[any("location_id")], 50);

const LEVELS_DONE: Answer =
    Answer::Object(&[Part::Many("created", &WHOLE_LEVEL), Part::Many("updated", &WHOLE_LEVEL)]);
const LEVELS_OF_ITEM_DONE: Answer = Answer::Object(&[
    Part::Many("created", &WHOLE_LEVEL),
    Part::Many("updated", &WHOLE_LEVEL),
    Part::value("deleted", IDS, "The ids of the levels that were deleted."),
]);
const CREATE_LEVEL: Body = &[LEVEL_FIELDS];
const STOCKED: Field = optional("stocked_quantity", Type::NotNegative).about("How many are there.");
const INCOMING: Field = optional("incoming_quantity", Type::NotNegative).about("How many are expected.");
const LEVEL_FIELDS: &[Field] =
    &[required("location_id", Type::Text).about("The stock location."), STOCKED, INCOMING];
const UPDATE_LEVEL: Body = &[&[STOCKED, INCOMING]];
const TRANSFER: Body = &[&[
    required("from_location_id", Type::Text).about("The location at which the stock is."),
    required("to_location_id", Type::Text)
        .about("The location to which it goes. A level is created there if there is none."),
    required("quantity", Type::Positive).about("How many, at most what is available at `from_location_id`."),
]];
const OF_ITEM: &[Field] = &[required("inventory_item_id", Type::Text).about("The inventory item.")];
const REST_OF_BATCH: &[Field] =
    &[BATCH_DELETE, optional("force", Type::Bool).about("Delete levels with stock, too.")];
const LEVEL_ID: Field =
    optional("id", Type::Text).about("The id of the level; it is found by item and location without it.");
const BATCH: Body = &[
    &[
        batch_create(Type::List(&Type::Strict(&[OF_ITEM, LEVEL_FIELDS]))),
        batch_update(Type::List(&Type::Strict(&[OF_ITEM, LEVEL_FIELDS, &[LEVEL_ID]]))),
    ],
    REST_OF_BATCH,
];
const BATCH_OF_ITEM: Body = &[
    &[
        batch_create(Type::List(&Type::Strict(&[LEVEL_FIELDS]))),
        batch_update(Type::List(&Type::Strict(&[LEVEL_FIELDS, &[LEVEL_ID]]))),
    ],
    REST_OF_BATCH,
];
const CREATE: Body = &[
    MORE,
    &[optional("location_levels", Type::List(&Type::Object(LEVEL_FIELDS)))
        .about("How many are at each location.")],
];
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

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: body::Fields = call.read()?;
    let levels = take(&mut fields, "location_levels")?.unwrap_or_default();
    let new = NewItem { item: body::read(fields)?, levels };
    perform(&ITEM, call, move |flow| only(flow.run(&CREATE_INVENTORY_ITEMS, vec![new])?)).await
}

async fn batch(mut call: Call) -> Result<Reply, Fault> {
    let batch: LevelBatch = call.read()?;
    run_batch(call, batch, false).await
}

async fn batch_of_item(mut call: Call) -> Result<Reply, Fault> {
    let mut batch: LevelBatch = call.read()?;
    for level in batch.create.iter_mut().chain(&mut batch.update) {
        level.inventory_item_id = call.path("id").to_owned();
    }
    run_batch(call, batch, true).await
}

/// Answers with the created and updated levels, and with the ids of the deleted ones if `shows_gone`. Levels
/// have all fields, whatever `fields` selects.
async fn run_batch(mut call: Call, batch: LevelBatch, shows_gone: bool) -> Result<Reply, Fault> {
    call.params.fields = Fields::default();
    let plan = WHOLE_LEVEL.plan(&call);
    let Call { app, pass, view, .. } = call;
    drop(view);
    let (done, view) = app
        .local_once(
            pass.actor,
            move |flow| flow.run(&BATCH_LEVELS, batch),
            |done| (ids(&done.created), ids(&done.updated), done.deleted.clone()),
            |view, (created, updated, deleted)| {
                let again = |ids: Vec<String>| records(&app, &INVENTORY_LEVELS, view, &ids);
                Ok(LevelsDone { created: again(created)?, updated: again(updated)?, deleted })
            },
        )
        .await?;
    let created = shown(&app, &view, &plan, done.created).await?;
    let updated = shown(&app, &view, &plan, done.updated).await?;
    Reply::object(|envelope| {
        envelope.name("created").extend(created);
        envelope.name("updated").extend(updated);
        if shows_gone {
            envelope.field("deleted", &done.deleted);
        }
        Ok(())
    })
}

async fn levels(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    call.params.narrow("inventory_item_id", vec![id]);
    page(&LEVEL, &call, Vec::new())
}

async fn add_level(mut call: Call) -> Result<Reply, Fault> {
    let level = LevelInput { inventory_item_id: call.path("id").to_owned(), ..call.read()? };
    change_levels(call, LevelBatch { create: vec![level], ..LevelBatch::default() }).await
}

async fn change_level(mut call: Call) -> Result<Reply, Fault> {
    let (item, location_id) = (call.path("id").to_owned(), call.path("location_id").to_owned());
    let level = LevelInput { inventory_item_id: item, location_id, ..call.read()? };
    change_levels(call, LevelBatch { update: vec![level], ..LevelBatch::default() }).await
}

async fn transfer(mut call: Call) -> Result<Reply, Fault> {
    let input = StockTransfer { inventory_item_id: call.path("id").to_owned(), ..call.read()? };
    perform(&ITEM, call, move |flow| flow.run(&TRANSFER_INVENTORY, input)).await
}

/// Updates levels of the item of the path, and shows the item.
async fn change_levels(call: Call, batch: LevelBatch) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    perform(&ITEM, call, move |flow| {
        flow.run(&BATCH_LEVELS, batch)?;
        Ok(INVENTORY_ITEMS.retrieve(flow.tx, &id)?)
    })
    .await
}

async fn remove_level(call: Call) -> Result<Reply, Fault> {
    let (id, location) = (call.path("id").to_owned(), call.path("location_id").to_owned());
    let item = id.clone();
    let remove = move |flow: &mut Local<'_>| {
        let level = level_or_not_stocked(flow.tx, &item, &location)?.id.to_string();
        flow.run(&BATCH_LEVELS, LevelBatch { delete: vec![level.clone()], ..LevelBatch::default() })?;
        Ok(level)
    };
    let plan = ITEM.plan(&call);
    plan.check(&call.view)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let (level, view) = app.local_once(pass.actor, remove, String::clone, |_, id| Ok(id)).await?;
    let item = INVENTORY_ITEMS.get(&view, &id)?.map(|it| Arc::new(it) as Node);
    show_gone(&app, &view, &plan, Deleted::new(level, "inventory-level"), item).await
}
