//! Creates products with their variants, prices and inventory items, and adds them to their channels.

use std::collections::BTreeSet;

use atoll_inventory::{INVENTORY_ITEMS, InventoryItem, create_item};
use atoll_kernel::{
    Fault, Moment, Read, Write,
    data::Entity,
    flow,
    flow::Local,
    jobs::emit,
    limits::VARIANT_PRICES_MAX,
    serde_json::{Map, json},
};
use atoll_links::{PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET};
use atoll_pricing::{PRICE_SETS, Price, PriceSet, check_terms};
use atoll_product::{Choices, Product, ProductVariant};

use crate::fulfillment::check_profile;
use crate::points::{PRODUCTS_CREATED, Records, VALIDATE_PRODUCTS};
use crate::pricing::KnownTerms;
use crate::product::{InventoryPart, NewProduct, NewVariant, PriceInput, variant_items::check_quantity};

flow! {
    /// Creates products with all their parts. Events: `product.created` and `product-variant.created`, for
    /// each.
    pub static CREATE_PRODUCTS: Flow<Vec<NewProduct>, Vec<Product>> =
        "create-products" (create), hooks: &[&VALIDATE_PRODUCTS, &PRODUCTS_CREATED];
}

fn create(flow: &mut Local<'_>, inputs: Vec<NewProduct>) -> Result<Vec<Product>, Fault> {
    let products = || inputs.iter().map(|it| it.product.clone()).collect::<Vec<_>>();
    flow.hook(&VALIDATE_PRODUCTS, || Records::of(&products()))?;
    let mut created = Vec::with_capacity(inputs.len());
    for input in inputs {
        let product = flow.step("create-products", |tx, at| {
            check_profile(tx, input.product.shipping_profile_id.as_deref())?;
            Ok(atoll_product::create_product(tx, at, input.product, &input.options)?)
        })?;
        flow.step("associate-products-with-channels", |tx, at| {
            for channel in &input.sales_channels {
                PRODUCT_SALES_CHANNEL.attach(tx, at, &product.id, channel, Map::new())?;
            }
            Ok(())
        })?;
        flow.step("create-product-variants", |tx, at| {
            create_variants(tx, at, &product, input.variants).map(drop)
        })?;
        flow.emit("product.created", json!({ "id": product.id }))?;
        created.push(product);
    }
    flow.hook(&PRODUCTS_CREATED, || Records::of(&created))?;
    Ok(created)
}

/// Creates variants of a product. Event: `product-variant.created`, for each.
pub(super) fn create_variants(
    tx: &mut dyn Write,
    at: &Moment,
    product: &Product,
    inputs: Vec<NewVariant>,
) -> Result<Vec<ProductVariant>, Fault> {
    let mut choices = Choices::of(tx, product)?;
    inputs.into_iter().map(|it| create_variant(tx, at, &mut choices, it)).collect()
}

/// Creates a variant of the product whose choices these are, with its price set and inventory items. Event:
/// `product-variant.created`.
pub fn create_variant(
    tx: &mut dyn Write,
    at: &Moment,
    choices: &mut Choices<'_>,
    input: NewVariant,
) -> Result<ProductVariant, Fault> {
    let variant = choices.create_variant(tx, at, input.variant, &input.options)?;
    let prices = prices_of(tx, at, input.prices)?;
    let set = PRICE_SETS.create(tx, at, PriceSet { prices, ..PriceSet::default() })?;
    PRODUCT_VARIANT_PRICE_SET.attach(tx, at, &variant.id, &set.id, Map::new())?;
    let mut parts = input.inventory_items;
    if parts.is_empty() && variant.manage_inventory {
        parts.push(InventoryPart::one_of(&create_item(tx, at, item_of(&variant))?));
    }
    take_parts(tx, at, &variant, parts)?;
    emit(tx, at, "product-variant.created", json!({ "id": variant.id }))?;
    Ok(variant)
}

/// The wire's error for unknown items; `None` if all exist.
pub fn unknown_items(tx: &dyn Read, items: &[String]) -> Result<Option<Fault>, Fault> {
    let mut unknown = Vec::new();
    for item in items {
        if !INVENTORY_ITEMS.table.exists(tx, item)? {
            unknown.push(item.as_str());
        }
    }
    let told = || Fault::invalid(format!("Inventory Items with ids: {} was not found", unknown.join(", ")));
    Ok((!unknown.is_empty()).then(told))
}

/// Links a variant to its inventory items, or creates one for it.
pub fn take_parts(
    tx: &mut dyn Write,
    at: &Moment,
    variant: &ProductVariant,
    parts: Vec<InventoryPart>,
) -> Result<(), Fault> {
    let items: Vec<String> = parts.iter().map(|it| it.inventory_item_id.clone()).collect();
    unknown_items(tx, &items)?.map_or(Ok(()), Err)?;
    let mut taken = BTreeSet::new();
    for part in parts {
        if !taken.insert(part.inventory_item_id.clone()) {
            let title = &variant.title;
            return Err(Fault::invalid(format!(
                "Cannot associate duplicate inventory items to variant(s) {title}"
            )));
        }
        check_quantity(Some(part.required_quantity))?;
        let columns = Map::from_iter([("required_quantity".to_owned(), json!(part.required_quantity))]);
        PRODUCT_VARIANT_INVENTORY_ITEM.attach(tx, at, &variant.id, &part.inventory_item_id, columns)?;
    }
    Ok(())
}

/// Error if a variant would have too many prices.
pub(super) fn check_number(n_prices: usize) -> Result<(), Fault> {
    if n_prices <= VARIANT_PRICES_MAX {
        return Ok(());
    }
    Err(Fault::invalid(format!("A variant has at most {VARIANT_PRICES_MAX} prices")))
}

/// The new prices of a set.
fn prices_of(tx: &dyn Read, at: &Moment, inputs: Vec<PriceInput>) -> Result<Vec<Price>, Fault> {
    check_number(inputs.len())?;
    let mut known = KnownTerms::new(tx);
    let price = |input: PriceInput| {
        let PriceInput { currency_code, amount, min_quantity, max_quantity, rules } = input;
        let currency_code = currency_code.to_lowercase();
        check_terms(amount, min_quantity, max_quantity, &rules)?;
        known.check(&currency_code, &rules)?;
        let mut price =
            Price { currency_code, amount, min_quantity, max_quantity, rules, ..Price::default() };
        price.init(at.id(), at.now());
        Ok(price)
    };
    inputs.into_iter().map(price).collect()
}

/// The inventory item of a variant that has one of its own.
pub fn item_of(variant: &ProductVariant) -> InventoryItem {
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
