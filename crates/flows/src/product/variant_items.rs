//! Links between variants and inventory items: the items that a variant consists of, with the quantity of
//! each. A kit has several.

use atoll_kernel::{
    Decimal, Fault, Read, flow,
    flow::Local,
    serde_json::{Map, Number, json},
};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::VARIANTS;

use crate::points::{ITEMS_LINKED, LinkedItem, UnlinkedItem, VALIDATE_VARIANT_ITEMS, VariantItems};

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

impl VariantItem {
    fn as_input(&self) -> LinkedItem {
        LinkedItem {
            variant_id: self.variant_id.clone(),
            inventory_item_id: self.inventory_item_id.clone(),
            required_quantity: self.required_quantity.clone(),
        }
    }
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
        "link-inventory-items-to-variants" (link), hooks: &[&VALIDATE_VARIANT_ITEMS, &ITEMS_LINKED];
}

fn link(flow: &mut Local<'_>, changes: VariantItemChanges) -> Result<(), Fault> {
    let VariantItemChanges { product_id, link, unlink } = changes;
    let input = || VariantItems {
        product_id: product_id.clone(),
        link: link.iter().map(VariantItem::as_input).collect(),
        unlink: unlink
            .iter()
            .cloned()
            .map(|(variant_id, inventory_item_id)| UnlinkedItem { variant_id, inventory_item_id })
            .collect(),
    };
    flow.hook(&VALIDATE_VARIANT_ITEMS, input)?;
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
    flow.hook(&ITEMS_LINKED, input)?;
    Ok(())
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
