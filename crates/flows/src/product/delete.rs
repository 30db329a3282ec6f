//! Deletes a product with everything that is its own.

use atoll_inventory::{BY_ITEM, INVENTORY_ITEMS, INVENTORY_LEVELS};
use atoll_kernel::{Fault, Moment, Write, emit, serde_json::json};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::variants_of;

/// Soft-deletes a product with its variants, options, price sets and links, and with the inventory items that
/// nothing else takes. Where some of these are promised to somebody it is refused. Unknown ids are ignored, as on
/// the wire. Event: `product.deleted`.
pub fn delete_product(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), Fault> {
    let mut items = Vec::new();
    for variant in variants_of(tx, id)? {
        items.extend(PRODUCT_VARIANT_INVENTORY_ITEM.rights(tx, &variant.id)?);
    }
    if atoll_product::delete_product(tx, at, id)?.is_none() {
        return Ok(());
    }
    let mut promised = Vec::new();
    for item in items {
        if PRODUCT_VARIANT_INVENTORY_ITEM.lefts(tx, &item)?.is_empty() && !delete_item(tx, at, &item)? {
            promised.push(item);
        }
    }
    if !promised.is_empty() {
        return Err(Fault::invalid(format!(
            "Cannot remove following inventory item(s) since they have reservations: [{}].",
            promised.join(", ")
        )));
    }
    emit(tx, at, "product.deleted", json!({ "id": id }))?;
    Ok(())
}

/// Deletes an item with its levels, unless some of it is promised.
fn delete_item(tx: &mut dyn Write, at: &Moment, item: &str) -> Result<bool, Fault> {
    let levels = INVENTORY_LEVELS.table.list_by(tx, &BY_ITEM, &[item])?;
    if levels.iter().any(|level| !level.reserved_quantity.is_zero()) {
        return Ok(false);
    }
    for level in levels {
        INVENTORY_LEVELS.soft_delete(tx, at, &level.id)?;
    }
    INVENTORY_ITEMS.soft_delete(tx, at, item)?;
    Ok(true)
}
