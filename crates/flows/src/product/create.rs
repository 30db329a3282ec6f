//! Makes a product with its variants, their prices and items, and puts it into its channels.

use std::collections::BTreeSet;

use atoll_inventory::{INVENTORY_ITEMS, InventoryItem};
use atoll_kernel::{
    Entity, Fault, Moment, Write, emit,
    serde_json::{Map, json},
};
use atoll_links::{PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET};
use atoll_pricing::{PRICE_SETS, Price, PriceSet};
use atoll_product::{Product, ProductVariant};

use crate::product::{InventoryPart, NewProduct, NewVariant, PriceInput};

/// Makes a product. Events: `product.created`, `product-variant.created`.
pub fn create_product(tx: &mut dyn Write, at: &Moment, input: NewProduct) -> Result<Product, Fault> {
    let product = atoll_product::create_product(tx, at, input.product, &input.options)?;
    for channel in &input.sales_channels {
        PRODUCT_SALES_CHANNEL.attach(tx, at, &product.id, channel, Map::new())?;
    }
    for variant in input.variants {
        create_variant(tx, at, &product, variant)?;
    }
    emit(tx, at, "product.created", json!({ "id": product.id }))?;
    Ok(product)
}

/// Makes a variant of a product, its price set, and what it takes from the shelf. Event:
/// `product-variant.created`.
pub fn create_variant(
    tx: &mut dyn Write,
    at: &Moment,
    product: &Product,
    input: NewVariant,
) -> Result<ProductVariant, Fault> {
    let variant = atoll_product::create_variant(tx, at, product, input.variant, &input.options)?;
    let set =
        PRICE_SETS.create(tx, at, PriceSet { prices: prices(at, input.prices), ..PriceSet::default() })?;
    PRODUCT_VARIANT_PRICE_SET.attach(tx, at, &variant.id, &set.id, Map::new())?;
    let mut parts = input.inventory_items;
    if parts.is_empty() && variant.manage_inventory {
        let item = INVENTORY_ITEMS.create(tx, at, item_of(&variant))?;
        parts.push(InventoryPart { inventory_item_id: item.id.to_string(), required_quantity: 1_i64.into() });
    }
    let mut taken = BTreeSet::new();
    for part in parts {
        if !taken.insert(part.inventory_item_id.clone()) {
            let title = &variant.title;
            return Err(Fault::invalid(format!(
                "Cannot associate duplicate inventory items to variant(s) {title}"
            )));
        }
        if part.required_quantity <= 0_i64.into() {
            return Err(Fault::invalid("the required quantity of an inventory item must be greater than 0"));
        }
        let columns = Map::from_iter([("required_quantity".to_owned(), json!(part.required_quantity))]);
        PRODUCT_VARIANT_INVENTORY_ITEM.attach(tx, at, &variant.id, &part.inventory_item_id, columns)?;
    }
    emit(tx, at, "product-variant.created", json!({ "id": variant.id }))?;
    Ok(variant)
}

fn prices(at: &Moment, inputs: Vec<PriceInput>) -> Vec<Price> {
    let price = |input: PriceInput| {
        let PriceInput { currency_code, amount, min_quantity, max_quantity, rules } = input;
        let currency_code = currency_code.to_lowercase();
        let mut price =
            Price { currency_code, amount, min_quantity, max_quantity, rules, ..Price::default() };
        price.born(at.id(), at.now());
        price
    };
    inputs.into_iter().map(price).collect()
}

/// The item of a variant that takes one of itself.
fn item_of(variant: &ProductVariant) -> InventoryItem {
    InventoryItem {
        sku: variant.sku.clone(),
        title: Some(variant.title.clone()),
        description: Some(variant.title.clone()),
        origin_country: variant.origin_country.clone(),
        hs_code: variant.hs_code.clone(),
        mid_code: variant.mid_code.clone(),
        material: variant.material.clone(),
        weight: variant.weight,
        length: variant.length,
        height: variant.height,
        width: variant.width,
        ..InventoryItem::default()
    }
}
