//! Deletes a product with everything that is its own.

use atoll_inventory::{BY_ITEM, INVENTORY_ITEMS, INVENTORY_LEVELS};
use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::variants_of;

/// Soft-deletes a product with its variants, options, price sets and links, and with the inventory items that
/// nothing else takes and nobody was promised. Unknown ids are ignored, as on the wire. Event: `product.deleted`.
pub fn delete_product(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Fault> {
    let mut items = Vec::new();
    for variant in variants_of(tx, id)? {
        items.extend(PRODUCT_VARIANT_INVENTORY_ITEM.rights(tx, &variant.id)?);
    }
    if atoll_product::delete_product(tx, at, id)?.is_none() {
        return Ok(());
    }
    for item in items {
        delete_unused_item(tx, at, &item)?;
    }
    emit(tx, at, "product.deleted", json!({ "id": id }))?;
    Ok(())
}

fn delete_unused_item(tx: &mut dyn Write, at: &Moment, item: &str) -> Result<(), Fault> {
    let levels = INVENTORY_LEVELS.table.list_by(tx, &BY_ITEM, &[item])?;
    let promised = levels.iter().any(|level| !level.reserved_quantity.is_zero());
    if promised || !PRODUCT_VARIANT_INVENTORY_ITEM.lefts(tx, item)?.is_empty() {
        return Ok(());
    }
    for level in levels {
        INVENTORY_LEVELS.soft_delete(tx, at, &level.id)?;
    }
    INVENTORY_ITEMS.soft_delete(tx, at, item)?;
    Ok(())
}
