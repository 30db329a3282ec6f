//! Creates, updates and deletes variants of an existing product.

use std::collections::{BTreeMap, BTreeSet};

use atoll_kernel::{Fault, Moment, Write, data::Entity, flow, flow::Local, serde_json::json};
use atoll_links::{PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET};
use atoll_pricing::{PRICE_SETS, Price, PriceSet, check_terms};
use atoll_product::{
    PRODUCTS, ProductVariant, ProductVariantPatch, VARIANTS, delete_variant, update_variant,
};

use crate::points::{
    Ids, OfProduct, Records, VALIDATE_IDS, VALIDATE_VARIANTS, VARIANTS_CREATED, VARIANTS_DELETED,
    VARIANTS_UPDATED,
};
use crate::pricing::KnownTerms;
use crate::product::{
    NewVariant, PriceChange,
    create::{check_number, create_variants},
    delete::delete_items,
};

/// An update of a variant. Absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct VariantChanges {
    /// The variant.
    pub id: String,
    /// Changed fields of the record.
    pub patch: ProductVariantPatch,
    /// Changed option values, by the title of the option.
    pub options: BTreeMap<String, String>,
    /// Replaces all its prices.
    pub prices: Option<Vec<PriceChange>>,
}

flow! {
    /// Creates variants of the product with this id. Event: `product-variant.created`, for each.
    pub static CREATE_PRODUCT_VARIANTS: Flow<(String, Vec<NewVariant>), Vec<ProductVariant>> =
        "create-product-variants" (create), hooks: &[&VALIDATE_VARIANTS, &VARIANTS_CREATED];
}

fn create(
    flow: &mut Local<'_>,
    (product_id, inputs): (String, Vec<NewVariant>),
) -> Result<Vec<ProductVariant>, Fault> {
    flow.hook(&VALIDATE_VARIANTS, || OfProduct::of(&product_id))?;
    let created = flow.step("create-product-variants", |tx, at| {
        let product = PRODUCTS.retrieve(tx, &product_id)?;
        create_variants(tx, at, &product, inputs)
    })?;
    flow.hook(&VARIANTS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates variants. Unknown ids are 404. Event: `product-variant.updated`, for each.
    pub static UPDATE_PRODUCT_VARIANTS: Flow<Vec<VariantChanges>, Vec<ProductVariant>> =
        "update-product-variants" (update), hooks: &[&VALIDATE_IDS, &VARIANTS_UPDATED];
}

fn update(flow: &mut Local<'_>, changes: Vec<VariantChanges>) -> Result<Vec<ProductVariant>, Fault> {
    flow.hook(&VALIDATE_IDS, || Ids { ids: changes.iter().map(|it| it.id.clone()).collect() })?;
    let mut updated = Vec::with_capacity(changes.len());
    for VariantChanges { id, patch, options, prices } in changes {
        let variant = flow.step("update-product-variants", |tx, at| {
            if !VARIANTS.table.exists(tx, &id)? {
                return Err(Fault::not_found(format!("Product variant with id \"{id}\" not found")));
            }
            Ok(update_variant(tx, at, &id, patch, &options)?)
        })?;
        if let Some(prices) = prices {
            flow.step("update-price-sets", |tx, at| set_prices(tx, at, &id, prices))?;
        }
        flow.emit("product-variant.updated", json!({ "id": id }))?;
        updated.push(variant);
    }
    flow.hook(&VARIANTS_UPDATED, || Records::of(&updated))?;
    Ok(updated)
}

/// Replaces the prices of a variant. An entry with the id of a price, or with the same currency, quantities
/// and rules, updates that price; each price is matched by one entry at most.
fn set_prices(
    tx: &mut dyn Write,
    at: &Moment,
    variant: &str,
    changes: Vec<PriceChange>,
) -> Result<(), Fault> {
    let Some(set) = PRODUCT_VARIANT_PRICE_SET.rights(tx, variant)?.into_iter().next() else {
        return Ok(());
    };
    check_number(changes.len())?;
    let before = PRICE_SETS.retrieve(tx, &set)?.prices;
    // The currency and the regions of a price that is there may have been deleted since.
    let there: BTreeSet<_> = before.iter().map(|it| (&it.currency_code, &it.rules)).collect();
    let mut known = KnownTerms::new(tx);
    // Prices named by id are matched first, whatever the order of the list.
    let mut matched = BTreeSet::new();
    for id in changes.iter().filter_map(|it| it.id.as_ref()) {
        if !matched.insert(id.clone()) {
            return Err(Fault::invalid(format!("Price with id: {id} is named twice")));
        }
    }
    let mut prices = Vec::with_capacity(changes.len());
    for (index, change) in changes.into_iter().enumerate() {
        let price = price_of(at, &before, &matched, index, change)?;
        if !there.contains(&(&price.currency_code, &price.rules)) {
            known.check(&price.currency_code, &price.rules)?;
        }
        matched.insert(price.id.to_string());
        prices.push(price);
    }
    PRICE_SETS.update(tx, at, &set, |it: &mut PriceSet| it.prices = prices)?;
    Ok(())
}

fn price_of(
    at: &Moment,
    before: &[Price],
    matched: &BTreeSet<String>,
    index: usize,
    change: PriceChange,
) -> Result<Price, Fault> {
    let PriceChange { id, currency_code, amount, min_quantity, max_quantity, rules } = change;
    let named = match &id {
        Some(id) => Some(
            before
                .iter()
                .find(|it| *it.id == **id)
                .ok_or_else(|| Fault::invalid(format!("Price with id: {id} does not exist")))?,
        ),
        None => None,
    };
    let missing = |field: &str| {
        Fault::invalid(format!("Invalid request: Field 'prices, {index}, {field}' is required"))
    };
    let mut price = named.cloned().unwrap_or_default();
    match currency_code {
        Some(code) => price.currency_code = code.to_lowercase(),
        None if named.is_none() => return Err(missing("currency_code")),
        None => {}
    }
    match amount {
        Some(amount) => price.amount = amount,
        None if named.is_none() => return Err(missing("amount")),
        None => {}
    }
    price.min_quantity = min_quantity.unwrap_or(price.min_quantity);
    price.max_quantity = max_quantity.unwrap_or(price.max_quantity);
    price.rules = rules.unwrap_or(price.rules);
    check_terms(price.amount, price.min_quantity, price.max_quantity, &price.rules)?;
    let is_same = |it: &&Price| same_price(it, &price) && !matched.contains(&*it.id);
    match named.or_else(|| before.iter().find(is_same)) {
        Some(before) => {
            let Price { id, created_at, updated_at, .. } = before.clone();
            price = Price { id, created_at, updated_at, ..price };
            if price != *before {
                price.touch(at.now());
            }
        }
        None => price.init(at.id(), at.now()),
    }
    Ok(price)
}

fn same_price(a: &Price, b: &Price) -> bool {
    a.currency_code == b.currency_code
        && a.min_quantity == b.min_quantity
        && a.max_quantity == b.max_quantity
        && a.rules == b.rules
}

flow! {
    /// Soft-deletes variants, with the inventory items that no other variant takes. Unknown ids are ignored,
    /// as on the wire. Event: `product-variant.deleted`, for each.
    pub static DELETE_PRODUCT_VARIANTS: Flow<Vec<String>, ()> =
        "delete-product-variants" (delete), hooks: &[&VALIDATE_IDS, &VARIANTS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    let mut deleted = Vec::new();
    let items = flow.step("delete-product-variants", |tx, at| {
        let mut items = Vec::new();
        for id in &ids {
            items.extend(PRODUCT_VARIANT_INVENTORY_ITEM.rights(tx, id)?);
            deleted.extend(delete_variant(tx, at, id)?.map(|it| it.id));
        }
        Ok(items)
    })?;
    flow.step("delete-inventory-items", |tx, at| delete_items(tx, at, items))?;
    for id in &deleted {
        flow.emit("product-variant.deleted", json!({ "id": id }))?;
    }
    flow.hook(&VARIANTS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}
