//! A variant takes items from the shelf: one of one, or several of several for a kit.

use atoll_inventory::INVENTORY_ITEM;
use atoll_kernel::{Column, Decimal, End, LinkRow, link, serde_json::Value};
use atoll_product::VARIANT;

link! {
    /// A variant takes items from the shelf: one of one, or several of several for a kit.
    pub static PRODUCT_VARIANT_INVENTORY_ITEM: Link("product_variant_inventory_item", "pvitem") = {
        left: End {
            entity: VARIANT,
            key: "variant_id",
            alias: "variant",
            others: Some("inventory"),
            rows: "inventory_items",
            many: true,
            cascade: false,
        },
        right: End {
            entity: INVENTORY_ITEM,
            key: "inventory_item_id",
            alias: "inventory",
            others: Some("variants"),
            rows: "variant_link",
            many: true,
            cascade: false,
        },
        columns: &[Column { name: "required_quantity", default: || Value::from(1) }],
    };
}

/// How many of the item one of the variant takes: at least some.
pub fn required_quantity(row: &LinkRow) -> Decimal {
    let stored = match row.data.get("required_quantity") {
        Some(Value::Number(number)) => Decimal::from_json(number),
        _ => None,
    };
    stored.filter(|it| *it > Decimal::ZERO).unwrap_or(Decimal::ONE)
}
