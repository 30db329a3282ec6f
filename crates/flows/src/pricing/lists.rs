//! Creates, updates and deletes price lists, and their prices for variants and products.

use std::collections::BTreeSet;

use atoll_kernel::data::present;
use atoll_kernel::{
    Decimal, Fault, Moment, Read, Write, flow, flow::Local, limits::BULK_PRICES_MAX, part_of,
    serde::Deserialize,
};
use atoll_links::PRODUCT_VARIANT_PRICE_SET;
use atoll_pricing::{
    ListPrice, PRICE_LISTS, PriceList, Rules,
    list::{
        NewListPrice, PriceListPatch, WrittenPrices, create_list, create_prices, delete_list, delete_prices,
        delete_prices_of, update_list, update_price,
    },
};
use atoll_product::{PRODUCTS, variants_of};

use super::KnownTerms;
use crate::points::{
    Ids, LIST_PRICES_CHANGED, OfId, PRICE_LISTS_CREATED, PRICE_LISTS_DELETED, PRICE_LISTS_UPDATED, Records,
    VALIDATE_ID, VALIDATE_IDS, VALIDATE_PRICE_LISTS,
};

part_of! { "price-list" }

/// Number of unknown ids that an error names.
const N_NAMED_MAX: usize = 20;

/// A new price list, with its prices.
#[derive(Clone, Debug, Default)]
pub struct NewPriceList {
    /// The record.
    pub list: PriceList,
    /// Its prices.
    pub prices: Vec<ListPriceInput>,
}

/// A new price of a price list. One whose variant, currency, quantities and rules are those of another price
/// of the list replaces its amount.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct ListPriceInput {
    /// The variant.
    pub variant_id: String,
    /// ISO 4217.
    pub currency_code: String,
    /// In units of the currency.
    pub amount: Decimal,
    /// Lowest quantity at which it applies.
    pub min_quantity: Option<Decimal>,
    /// Highest quantity at which it applies.
    pub max_quantity: Option<Decimal>,
    /// Values that the price context must have.
    pub rules: Rules,
}

/// An update of a price of a price list. Absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct ListPriceChange {
    /// The price.
    pub id: String,
    /// The variant.
    pub variant_id: Option<String>,
    /// ISO 4217.
    pub currency_code: Option<String>,
    /// In units of the currency.
    pub amount: Option<Decimal>,
    /// Lowest quantity at which it applies.
    #[serde(deserialize_with = "present")]
    pub min_quantity: Option<Option<Decimal>>,
    /// Highest quantity at which it applies.
    #[serde(deserialize_with = "present")]
    pub max_quantity: Option<Option<Decimal>>,
    /// Values that the price context must have.
    pub rules: Option<Rules>,
}

/// Prices of a price list to create, to update and to delete, all or none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct ListPriceBatch {
    /// The price list.
    pub price_list_id: String,
    /// New prices.
    pub create: Vec<ListPriceInput>,
    /// Updates.
    pub update: Vec<ListPriceChange>,
    /// Ids of prices to delete.
    pub delete: Vec<String>,
}

flow! {
    /// Creates price lists with their prices.
    pub static CREATE_PRICE_LISTS: Flow<Vec<NewPriceList>, Vec<PriceList>> =
        "create-price-lists" (create), hooks: &[&VALIDATE_PRICE_LISTS, &PRICE_LISTS_CREATED];
}

fn create(flow: &mut Local<'_>, new: Vec<NewPriceList>) -> Result<Vec<PriceList>, Fault> {
    let lists = || new.iter().map(|it| it.list.clone()).collect::<Vec<_>>();
    flow.hook(&VALIDATE_PRICE_LISTS, || Records::of(&lists()))?;
    let mut created = Vec::with_capacity(new.len());
    for NewPriceList { list, prices } in new {
        check_number(prices.len())?;
        let list = flow.step("create-price-lists", |tx, at| {
            check_rules(tx, &list)?;
            Ok(create_list(tx, at, list)?)
        })?;
        flow.step("create-price-list-prices", |tx, at| add_prices(tx, at, &list, prices))?;
        created.push(list);
    }
    flow.hook(&PRICE_LISTS_CREATED, || Records::of(&created))?;
    Ok(created)
}

flow! {
    /// Updates the price list with this id.
    pub static UPDATE_PRICE_LISTS: Flow<(String, PriceListPatch), PriceList> =
        "update-price-lists" (update), hooks: &[&VALIDATE_ID, &PRICE_LISTS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, PriceListPatch)) -> Result<PriceList, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let list = flow.step("update-price-lists", |tx, at| {
        list_of(tx, &id)?;
        let rules_change = patch.rules.is_some();
        let list = update_list(tx, at, &id, patch)?;
        if rules_change {
            check_rules(tx, &list)?;
        }
        Ok(list)
    })?;
    flow.hook(&PRICE_LISTS_UPDATED, || Records::one(&list))?;
    Ok(list)
}

flow! {
    /// Soft-deletes price lists and their prices. Unknown ids are 404.
    pub static DELETE_PRICE_LISTS: Flow<Vec<String>, ()> =
        "delete-price-lists" (delete), hooks: &[&VALIDATE_IDS, &PRICE_LISTS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-price-lists", |tx, at| {
        ids.iter().try_for_each(|id| Ok(delete_list(tx, at, id).map(drop)?))
    })?;
    flow.hook(&PRICE_LISTS_DELETED, || Ids::of(&ids))?;
    Ok(())
}

flow! {
    /// Creates, updates and deletes prices of a price list; returns those that it created and updated.
    pub static BATCH_PRICE_LIST_PRICES: Flow<ListPriceBatch, (Vec<ListPrice>, Vec<ListPrice>)> =
        "batch-price-list-prices" (batch), hooks: &[&VALIDATE_ID, &LIST_PRICES_CHANGED];
}

fn batch(flow: &mut Local<'_>, batch: ListPriceBatch) -> Result<(Vec<ListPrice>, Vec<ListPrice>), Fault> {
    let ListPriceBatch { price_list_id: id, create, update, delete } = batch;
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    check_number(create.len() + update.len() + delete.len())?;
    let list = flow.step("validate-price-lists", |tx, _| list_of(tx, &id))?;
    // First, so that a price may be deleted and created anew in one call.
    flow.step("remove-price-list-prices", |tx, at| Ok(delete_prices(tx, at, &list, &delete)?))?;
    let mut updated = flow.step("update-price-list-prices", |tx, at| {
        update.into_iter().map(|it| change_price(tx, at, &list, it)).collect::<Result<Vec<_>, Fault>>()
    })?;
    let written = flow.step("create-price-list-prices", |tx, at| add_prices(tx, at, &list, create))?;
    updated.extend(written.updated);
    flow.hook(&LIST_PRICES_CHANGED, || OfId::of(&id))?;
    Ok((written.created, updated))
}

flow! {
    /// Deletes the prices that the price list with this id has for variants of these products. Unknown
    /// products are 404.
    pub static REMOVE_PRICE_LIST_PRODUCTS: Flow<(String, Vec<String>), PriceList> =
        "remove-price-list-products" (remove_products), hooks: &[&VALIDATE_ID, &LIST_PRICES_CHANGED];
}

fn remove_products(flow: &mut Local<'_>, (id, products): (String, Vec<String>)) -> Result<PriceList, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let list = flow.step("remove-price-list-prices", |tx, at| {
        let list = list_of(tx, &id)?;
        for product in &products {
            if !PRODUCTS.table.exists(tx, product)? {
                return Err(Fault::not_found(format!("Product with id: {product} was not found")));
            }
            for variant in variants_of(tx, product)? {
                for set in PRODUCT_VARIANT_PRICE_SET.rights(tx, &variant.id)? {
                    delete_prices_of(tx, at, &list, &set)?;
                }
            }
        }
        Ok(list)
    })?;
    flow.hook(&LIST_PRICES_CHANGED, || OfId::of(&id))?;
    Ok(list)
}

fn list_of(tx: &dyn Read, id: &str) -> Result<PriceList, Fault> {
    let list = PRICE_LISTS.get(tx, id)?;
    list.ok_or_else(|| Fault::not_found(format!("Price lists with id: {id} was not found")))
}

fn check_number(n_prices: usize) -> Result<(), Fault> {
    if n_prices <= BULK_PRICES_MAX {
        return Ok(());
    }
    Err(Fault::invalid(format!(
        "Invalid request: at most {BULK_PRICES_MAX} prices can be created, updated and deleted at once, got: \
         '{n_prices}'"
    )))
}

/// Checks that there are the records that the rules of a list name.
fn check_rules(tx: &dyn Read, list: &PriceList) -> Result<(), Fault> {
    let mut known = KnownTerms::new(tx);
    for (attribute, values) in &list.rules {
        values.iter().try_for_each(|it| known.check_value(attribute, it))?;
    }
    Ok(())
}

/// Adds prices to a list.
fn add_prices(
    tx: &mut dyn Write,
    at: &Moment,
    list: &PriceList,
    inputs: Vec<ListPriceInput>,
) -> Result<WrittenPrices, Fault> {
    let sets = sets_of(tx, inputs.iter().map(|it| it.variant_id.as_str()))?;
    let mut known = KnownTerms::new(tx);
    let mut new = Vec::with_capacity(inputs.len());
    for (input, price_set_id) in inputs.into_iter().zip(sets) {
        let ListPriceInput { currency_code, amount, min_quantity, max_quantity, rules, .. } = input;
        let currency_code = currency_code.to_lowercase();
        known.check(&currency_code, &rules)?;
        new.push(NewListPrice { price_set_id, currency_code, amount, min_quantity, max_quantity, rules });
    }
    Ok(create_prices(tx, at, list, new)?)
}

fn change_price(
    tx: &mut dyn Write,
    at: &Moment,
    list: &PriceList,
    change: ListPriceChange,
) -> Result<ListPrice, Fault> {
    let ListPriceChange { id, variant_id, currency_code, amount, min_quantity, max_quantity, rules } = change;
    let set = sets_of(tx, variant_id.as_deref().into_iter())?.pop();
    let currency_code = currency_code.map(|it| it.to_lowercase());
    let mut known = KnownTerms::new(tx);
    currency_code.as_ref().map_or(Ok(()), |it| known.check_currency(it))?;
    for (attribute, rule) in rules.iter().flat_map(Rules::iter) {
        known.check_value(attribute, &rule.value.as_text())?;
    }
    Ok(update_price(tx, at, list, &id, |it| {
        it.price_set_id = set.unwrap_or(std::mem::take(&mut it.price_set_id));
        it.currency_code = currency_code.unwrap_or(std::mem::take(&mut it.currency_code));
        it.amount = amount.unwrap_or(it.amount);
        it.min_quantity = min_quantity.unwrap_or(it.min_quantity);
        it.max_quantity = max_quantity.unwrap_or(it.max_quantity);
        it.rules = rules.unwrap_or(std::mem::take(&mut it.rules));
    })?)
}

/// The price sets of these variants, in order.
fn sets_of<'a>(tx: &dyn Read, variants: impl Iterator<Item = &'a str>) -> Result<Vec<String>, Fault> {
    let (mut sets, mut unknown) = (Vec::new(), BTreeSet::new());
    for variant in variants {
        match PRODUCT_VARIANT_PRICE_SET.rights(tx, variant)?.into_iter().next() {
            Some(set) => sets.push(set),
            None => drop(unknown.insert(variant)),
        }
    }
    if unknown.is_empty() {
        return Ok(sets);
    }
    let named: Vec<&str> = unknown.iter().copied().take(N_NAMED_MAX).collect();
    let n_more = unknown.len() - named.len();
    let more = if n_more == 0 { String::new() } else { format!(" and {n_more} more") };
    Err(Fault::invalid(format!("No price set exist for variants: {}{more}", named.join(", "))))
}
