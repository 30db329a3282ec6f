//! Deletes products with their variants, options, prices and items.

use atoll_kernel::{Fault, Moment, Write, flow, flow::Local, serde_json::json};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::variants_of;

use crate::inventory::{delete_item, has_reservations, items_reserved};
use crate::points::{Ids, PRODUCTS_DELETED, VALIDATE_IDS};

flow! {
    /// Soft-deletes products with their variants, options, price sets and links, and with the inventory items
    /// that no other variant takes. Refused if one of these items is reserved. Unknown ids are ignored, as on
    /// the wire. Event: `product.deleted`, for each.
    pub static DELETE_PRODUCTS: Flow<Vec<String>, ()> =
        "delete-products" (delete), hooks: &[&VALIDATE_IDS, &PRODUCTS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    let mut deleted = Vec::new();
    let items = flow.step("delete-products", |tx, at| {
        let mut items = Vec::new();
        for id in &ids {
            for variant in variants_of(tx, id)? {
                items.extend(PRODUCT_VARIANT_INVENTORY_ITEM.rights(tx, &variant.id)?);
            }
            deleted.extend(atoll_product::delete_product(tx, at, id)?.map(|it| it.id));
        }
        Ok(items)
    })?;
    flow.step("delete-inventory-items", |tx, at| delete_items(tx, at, items))?;
    for id in &deleted {
        flow.emit("product.deleted", json!({ "id": id }))?;
    }
    flow.hook(&PRODUCTS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}

/// Deletes the items that no variant takes any more.
pub(crate) fn delete_items(tx: &mut dyn Write, at: &Moment, items: Vec<String>) -> Result<(), Fault> {
    let mut reserved = Vec::new();
    for item in items {
        if !PRODUCT_VARIANT_INVENTORY_ITEM.lefts(tx, &item)?.is_empty() {
            continue;
        }
        if has_reservations(tx, &item)? {
            reserved.push(item);
        } else {
            delete_item(tx, at, &item)?;
        }
    }
    let reserved: Vec<&str> = reserved.iter().map(String::as_str).collect();
    if reserved.is_empty() { Ok(()) } else { Err(items_reserved(&reserved)) }
}
