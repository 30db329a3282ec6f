//! Transfer of stock of an item between two locations.

use atoll_inventory::{INVENTORY_ITEMS, InventoryItem, level_at, level_or_not_stocked};
use atoll_kernel::{Decimal, Fault, Read, flow, flow::Local};
use serde::Deserialize;

use super::{BATCH_LEVELS, LevelBatch, LevelInput};
use crate::points::{StockToTransfer, VALIDATE_STOCK_TRANSFER};

/// A quantity of an item that goes from one location to another.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct StockTransfer {
    /// The item.
    pub inventory_item_id: String,
    /// Where it is.
    pub from_location_id: String,
    /// Where it goes. The item need not be stocked there yet.
    pub to_location_id: String,
    /// How many, more than zero.
    pub quantity: Decimal,
}

flow! {
    /// Moves stock of an item to another location, by `batch-inventory-item-levels`. What is reserved stays
    /// where it is: a quantity beyond what is available is refused.
    pub static TRANSFER_INVENTORY: Flow<StockTransfer, InventoryItem> =
        "transfer-inventory" (transfer), hooks: &[&VALIDATE_STOCK_TRANSFER];
}

fn transfer(flow: &mut Local<'_>, input: StockTransfer) -> Result<InventoryItem, Fault> {
    flow.hook(&VALIDATE_STOCK_TRANSFER, || StockToTransfer {
        inventory_item_id: input.inventory_item_id.clone(),
        from_location_id: input.from_location_id.clone(),
        to_location_id: input.to_location_id.clone(),
        quantity: input.quantity,
    })?;
    let item = flow.step("find-inventory-item", |tx, _| {
        let id = &input.inventory_item_id;
        let item = INVENTORY_ITEMS.get(tx, id)?;
        item.ok_or_else(|| Fault::not_found(format!("Inventory item with id: {id} was not found")))
    })?;
    let batch = flow.step("plan-transfer", |tx, _| plan(tx, &input))?;
    flow.run(&BATCH_LEVELS, batch)?;
    Ok(item)
}

/// The levels as they are afterwards.
fn plan(tx: &dyn Read, input: &StockTransfer) -> Result<LevelBatch, Fault> {
    let StockTransfer { inventory_item_id: item, from_location_id, to_location_id, quantity } = input;
    if from_location_id == to_location_id {
        return Err(Fault::invalid("The stock is at this location already"));
    }
    let from = level_or_not_stocked(tx, item, from_location_id)?;
    if *quantity > from.available() {
        return Err(Fault::not_allowed(format!(
            "{} of {} can be transferred: the others are reserved",
            from.available().max(Decimal::ZERO),
            from.stocked_quantity
        )));
    }
    let level = |location: &str, stocked: Decimal| LevelInput {
        inventory_item_id: item.clone(),
        location_id: location.to_owned(),
        stocked_quantity: Some(stocked),
        incoming_quantity: None,
    };
    let mut batch = LevelBatch {
        update: vec![level(from_location_id, from.stocked_quantity - *quantity)],
        ..LevelBatch::default()
    };
    match level_at(tx, item, to_location_id)? {
        Some(to) => batch.update.push(level(to_location_id, to.stocked_quantity + *quantity)),
        None => batch.create.push(level(to_location_id, *quantity)),
    }
    Ok(batch)
}
