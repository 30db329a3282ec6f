//! Creating inventory items with their stock levels, and updating items.

use atoll_inventory::{INVENTORY_ITEMS, InventoryItem, InventoryItemPatch, create_item, update_item};
use atoll_kernel::{Fault, flow, flow::Local, serde_json::json};

use crate::inventory::{BATCH_LEVELS, LevelBatch, LevelInput};
use crate::points::{ITEMS_CREATED, ITEMS_UPDATED, OfId, Records, VALIDATE_ID, VALIDATE_ITEMS};

/// An inventory item to create.
#[derive(Clone, Debug, Default)]
pub struct NewItem {
    /// The record.
    pub item: InventoryItem,
    /// The levels of the item. They are of the new item, whatever their `inventory_item_id` says.
    pub levels: Vec<LevelInput>,
}

flow! {
    /// Creates items, and their levels by `batch-inventory-item-levels`. Event: `inventory-item.created`,
    /// for each item.
    pub static CREATE_INVENTORY_ITEMS: Flow<Vec<NewItem>, Vec<InventoryItem>> =
        "create-inventory-items-workflow" (create), hooks: &[&VALIDATE_ITEMS, &ITEMS_CREATED];
}

fn create(flow: &mut Local<'_>, new: Vec<NewItem>) -> Result<Vec<InventoryItem>, Fault> {
    let (items, levels): (Vec<_>, Vec<_>) = new.into_iter().map(|it| (it.item, it.levels)).unzip();
    flow.hook(&VALIDATE_ITEMS, || Records::of(&items))?;
    let created = flow.step("create-inventory-items", |tx, at| {
        items.into_iter().map(|it| Ok(create_item(tx, at, it)?)).collect::<Result<Vec<_>, Fault>>()
    })?;
    let of_item = |(item, levels): (&InventoryItem, Vec<LevelInput>)| {
        let id = item.id.to_string();
        levels.into_iter().map(move |it| LevelInput { inventory_item_id: id.clone(), ..it })
    };
    let create: Vec<LevelInput> = created.iter().zip(levels).flat_map(of_item).collect();
    if !create.is_empty() {
        flow.run(&BATCH_LEVELS, LevelBatch { create, ..LevelBatch::default() })?;
    }
    for item in &created {
        flow.emit("inventory-item.created", json!({ "id": item.id }))?;
    }
    flow.hook(&ITEMS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates the item with this id. Event: `inventory-item.updated`.
    pub static UPDATE_INVENTORY_ITEMS: Flow<(String, InventoryItemPatch), InventoryItem> =
        "update-inventory-items-workflow" (update), hooks: &[&VALIDATE_ID, &ITEMS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, InventoryItemPatch)) -> Result<InventoryItem, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let item = flow.step("update-inventory-items", |tx, at| {
        if !INVENTORY_ITEMS.table.exists(tx, &id)? {
            return Err(Fault::not_found(format!("InventoryItem with id \"{id}\" not found")));
        }
        Ok(update_item(tx, at, &id, patch)?)
    })?;
    flow.emit("inventory-item.updated", json!({ "id": id }))?;
    flow.hook(&ITEMS_UPDATED, || Records::one(&item))?;
    Ok(item)
}
