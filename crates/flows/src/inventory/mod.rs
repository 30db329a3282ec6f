//! Inventory levels in batches, transfer of stock, and deletion of inventory items.

mod items;
mod transfer;

use atoll_inventory::{
    BY_ITEM, INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryLevel, create_level, delete_level, set_level,
};
use atoll_kernel::{Decimal, Fault, Moment, Read, Write, flow, flow::Local, serde_json::json};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::VARIANTS;
use atoll_stock_location::STOCK_LOCATIONS;
use serde::Deserialize;

use crate::points::{
    ITEMS_DELETED, Ids, LEVELS_CHANGED, LevelsChanged, LevelsToDelete, VALIDATE_IDS, VALIDATE_LEVELS,
};

pub use items::{CREATE_INVENTORY_ITEMS, NewItem, UPDATE_INVENTORY_ITEMS};
pub use transfer::{StockTransfer, TRANSFER_INVENTORY};

/// The level of an item at a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LevelInput {
    /// The item.
    pub inventory_item_id: String,
    /// The location.
    pub location_id: String,
    /// Stocked quantity; by default unchanged, and zero for a new level.
    pub stocked_quantity: Option<Decimal>,
    /// Incoming quantity; by default unchanged, and zero for a new level.
    pub incoming_quantity: Option<Decimal>,
}

/// Changes to levels, all or none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LevelBatch {
    /// Levels to create.
    pub create: Vec<LevelInput>,
    /// Levels to update.
    pub update: Vec<LevelInput>,
    /// Ids of levels to delete.
    pub delete: Vec<String>,
    /// Delete levels with stock as well? Levels with reservations are never deleted.
    pub force: bool,
}

/// The result of a batch.
#[derive(Clone, Debug, Default)]
pub struct LevelsDone {
    /// Created levels.
    pub created: Vec<InventoryLevel>,
    /// Updated levels.
    pub updated: Vec<InventoryLevel>,
    /// Ids of deleted levels.
    pub deleted: Vec<String>,
}

flow! {
    /// Creates, updates and deletes levels. Events: `inventory-level.created`, `.updated`, `.deleted`, for
    /// each.
    pub static BATCH_LEVELS: Flow<LevelBatch, LevelsDone> =
        "batch-inventory-item-levels" (batch), hooks: &[&VALIDATE_LEVELS, &LEVELS_CHANGED];
}

fn batch(flow: &mut Local<'_>, batch: LevelBatch) -> Result<LevelsDone, Fault> {
    flow.hook(&VALIDATE_LEVELS, || LevelsToDelete { delete: batch.delete.clone() })?;
    let done = LevelsDone {
        created: flow.step("create-inventory-levels", |tx, at| {
            batch.create.iter().map(|it| stock_at(tx, at, it)).collect()
        })?,
        updated: flow.step("update-inventory-levels", |tx, at| {
            let set = |it: &LevelInput| {
                let (item, location) = (&it.inventory_item_id, &it.location_id);
                Ok(set_level(tx, at, item, location, it.stocked_quantity, it.incoming_quantity)?)
            };
            batch.update.iter().map(set).collect::<Result<_, Fault>>()
        })?,
        deleted: flow
            .step("delete-inventory-levels", |tx, at| remove_all(tx, at, &batch.delete, batch.force))?,
    };
    let ids = |levels: &[InventoryLevel]| levels.iter().map(|it| it.id.to_string()).collect::<Vec<_>>();
    for (event, ids) in [
        ("inventory-level.created", ids(&done.created)),
        ("inventory-level.updated", ids(&done.updated)),
        ("inventory-level.deleted", done.deleted.clone()),
    ] {
        for id in ids {
            flow.emit(event, json!({ "id": id }))?;
        }
    }
    flow.hook(&LEVELS_CHANGED, || LevelsChanged {
        created: done.created.clone(),
        updated: done.updated.clone(),
    })?;
    Ok(done)
}

/// Creates the level of an item at a location; both must exist.
fn stock_at(tx: &mut dyn Write, at: &Moment, input: &LevelInput) -> Result<InventoryLevel, Fault> {
    let (item, location) = (&input.inventory_item_id, &input.location_id);
    if !STOCK_LOCATIONS.table.exists(tx, location)? {
        return Err(Fault::not_found(format!("Stock locations with ids: {location} was not found")));
    }
    if !INVENTORY_ITEMS.table.exists(tx, item)? {
        return Err(Fault::not_found(format!(
            "You tried to set relationship inventory_item_id: {item}, but such entity does not exist"
        )));
    }
    let level = InventoryLevel {
        inventory_item_id: item.as_str().into(),
        location_id: location.clone(),
        stocked_quantity: input.stocked_quantity.unwrap_or_default(),
        incoming_quantity: input.incoming_quantity.unwrap_or_default(),
        ..InventoryLevel::default()
    };
    Ok(create_level(tx, at, level)?)
}

fn remove_all(tx: &mut dyn Write, at: &Moment, ids: &[String], force: bool) -> Result<Vec<String>, Fault> {
    let mut removed = Vec::new();
    for id in ids {
        let Some(level) = INVENTORY_LEVELS.get(tx, id)? else { continue };
        check_empty(&level, force)?;
        delete_level(tx, at, &level.inventory_item_id, &level.location_id)?;
        removed.push(id.clone());
    }
    Ok(removed)
}

/// Refuses to delete a level with stock, unless `force` is set.
fn check_empty(level: &InventoryLevel, force: bool) -> Result<(), Fault> {
    if force || level.stocked_quantity.is_zero() || !level.reserved_quantity.is_zero() {
        return Ok(());
    }
    Err(Fault::not_allowed(format!(
        "Cannot remove Inventory Levels for {} because there are stocked items at the locations. Use force flag to delete \
         anyway.",
        level.location_id
    )))
}

flow! {
    /// Soft-deletes items with their levels and links. Refused if an item has reservations, or if a kit or a
    /// variant with backorders needs it. Unknown ids are ignored, as on the wire. Event:
    /// `inventory-item.deleted`, for each.
    pub static DELETE_INVENTORY_ITEMS: Flow<Vec<String>, ()> =
        "delete-inventory-item-workflow" (delete), hooks: &[&VALIDATE_IDS, &ITEMS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("validate-inventory-items", |tx, _| {
        let (mut reserved, mut parts) = (Vec::new(), Vec::new());
        for id in &ids {
            if has_reservations(tx, id)? {
                reserved.push(id.as_str());
            }
            if is_needed(tx, id, &ids)? {
                parts.push(id.as_str());
            }
        }
        match (&reserved[..], &parts[..]) {
            ([], []) => Ok(()),
            ([], parts) => Err(Fault::not_allowed(format!(
                "Cannot remove following inventory item(s) since variants would be sold without them: [{}].",
                parts.join(", ")
            ))),
            (reserved, _) => Err(items_reserved(reserved)),
        }
    })?;
    let mut deleted = Vec::new();
    flow.step("delete-inventory-items", |tx, at| {
        for id in &ids {
            deleted.extend(delete_item(tx, at, id)?);
        }
        Ok(())
    })?;
    for id in &deleted {
        flow.emit("inventory-item.deleted", json!({ "id": id }))?;
    }
    flow.hook(&ITEMS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}

/// Does a variant still need the item, once all of these are deleted? A kit does that has other items left,
/// and so does a variant with backorders. A variant without any other item is not sold any more.
fn is_needed(tx: &dyn Read, item: &str, gone: &[String]) -> Result<bool, Fault> {
    for variant in PRODUCT_VARIANT_INVENTORY_ITEM.lefts(tx, item)? {
        let others = PRODUCT_VARIANT_INVENTORY_ITEM.rights(tx, &variant)?;
        let is_left = others.iter().any(|it| !gone.contains(it));
        if is_left || VARIANTS.get(tx, &variant)?.is_some_and(|it| it.allow_backorder) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The wire's error for items with reservations.
pub(crate) fn items_reserved(ids: &[&str]) -> Fault {
    Fault::invalid(format!(
        "Cannot remove following inventory item(s) since they have reservations: [{}].",
        ids.join(", ")
    ))
}

/// Does the item have reservations?
pub(crate) fn has_reservations(tx: &dyn Read, item: &str) -> Result<bool, Fault> {
    let levels = INVENTORY_LEVELS.table.list_by(tx, &BY_ITEM, &[item])?;
    Ok(levels.iter().any(|level| !level.reserved_quantity.is_zero()))
}

/// Soft-deletes an item with its levels. Returns its id; `None` if it does not exist.
pub(crate) fn delete_item(tx: &mut dyn Write, at: &Moment, item: &str) -> Result<Option<String>, Fault> {
    for level in INVENTORY_LEVELS.table.list_by(tx, &BY_ITEM, &[item])? {
        INVENTORY_LEVELS.soft_delete(tx, at, &level.id)?;
    }
    Ok(INVENTORY_ITEMS.soft_delete(tx, at, item)?.map(|it| it.id.to_string()))
}
