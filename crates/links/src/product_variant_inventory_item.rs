//! Link: a variant consists of inventory items, usually one of one item, or several for a kit.

use atoll_inventory::INVENTORY_ITEM;
use atoll_kernel::{
    Decimal,
    data::{Column, End, FieldKind, LinkRow},
    link,
    serde_json::Value,
};
use atoll_product::VARIANT;

link! {
    /// The inventory items that one piece of a variant consists of, with the required quantity of each.
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
        columns: &[Column {
            name: "required_quantity",
            kind: FieldKind::Decimal,
            text: "The quantity of the item that one piece of the variant requires.",
            default: || Value::from(1),
        }],
    };
}

/// The quantity of the item that one piece of the variant requires. More than zero.
pub fn required_quantity(row: &LinkRow) -> Decimal {
    let stored = match row.data.get("required_quantity") {
        Some(Value::Number(number)) => Decimal::from_json(number),
        _ => None,
    };
    stored.filter(|it| *it > Decimal::ZERO).unwrap_or(Decimal::ONE)
}
