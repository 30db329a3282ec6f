//! Links between variants and inventory items: the items that a variant consists of, with the quantity of
//! each. A kit has several.

use atoll_kernel::{
    Decimal, Fault, Read, flow,
    flow::Local,
    serde_json::{Map, Number, json},
};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::VARIANTS;

/// An inventory item of a variant.
#[derive(Clone, Debug)]
pub struct VariantItem {
    /// The id of the variant.
    pub variant_id: String,
    /// The id of the inventory item.
    pub inventory_item_id: String,
    /// The quantity that one piece of the variant requires, more than zero. It is stored and shown as the
    /// number that was sent (`1.0` stays `1.0`).
    pub required_quantity: Number,
}

/// Changes of the inventory items of the variants of a product: all of them, or none.
#[derive(Clone, Debug, Default)]
pub struct VariantItemChanges {
    /// The id of the product. All the variants must be its own.
    pub product_id: String,
    /// Items to link; of those that are linked already, the quantity changes.
    pub link: Vec<VariantItem>,
    /// Items to unlink: pairs of the ids of a variant and an item. What is not linked is ignored.
    pub unlink: Vec<(String, String)>,
}

flow! {
    /// Links inventory items to variants of a product, and unlinks others.
    pub static LINK_INVENTORY_ITEMS: Flow<VariantItemChanges, ()> =
        "link-inventory-items-to-variants" (link), hooks: &["validate", "inventoryItemsLinked"];
}

fn link(flow: &mut Local<'_>, changes: VariantItemChanges) -> Result<(), Fault> {
    let VariantItemChanges { product_id, link, unlink } = changes;
    let input = || {
        let pair = |variant: &str, item: &str| json!({ "variant_id": variant, "inventory_item_id": item });
        let linked = link.iter().map(|it| {
            let mut linked = pair(&it.variant_id, &it.inventory_item_id);
            linked["required_quantity"] = json!(it.required_quantity);
            linked
        });
        json!({
            "product_id": product_id, "link": linked.collect::<Vec<_>>(),
            "unlink": unlink.iter().map(|(variant, item)| pair(variant, item)).collect::<Vec<_>>(),
        })
    };
    flow.hook("validate", input)?;
    flow.step("link-inventory-items", |tx, at| {
        for VariantItem { variant_id, inventory_item_id, required_quantity } in &link {
            check_variant(tx, &product_id, variant_id)?;
            check_quantity(Decimal::from_json(required_quantity))?;
            let columns = Map::from_iter([("required_quantity".to_owned(), json!(required_quantity))]);
            PRODUCT_VARIANT_INVENTORY_ITEM.attach(tx, at, variant_id, inventory_item_id, columns)?;
        }
        for (variant, item) in &unlink {
            check_variant(tx, &product_id, variant)?;
            PRODUCT_VARIANT_INVENTORY_ITEM.detach(tx, at, variant, item)?;
        }
        Ok(())
    })?;
    flow.hook("inventoryItemsLinked", input)
}

/// The quantity must be more than zero. `None` is a number that is no decimal.
pub(super) fn check_quantity(required: Option<Decimal>) -> Result<(), Fault> {
    if required.is_some_and(|it| it > Decimal::ZERO) {
        return Ok(());
    }
    Err(Fault::invalid("the required quantity of an inventory item must be greater than 0"))
}

/// The variant must exist, and be one of this product.
pub fn check_variant(tx: &dyn Read, product: &str, variant: &str) -> Result<(), Fault> {
    match VARIANTS.get(tx, variant)? {
        Some(it) if *it.product_id == *product => Ok(()),
        _ => Err(Fault::not_found(format!("Product variant with id: {variant} was not found"))),
    }
}
