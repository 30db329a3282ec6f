//! Product options (size, colour) and their values. An exclusive option belongs to one product and is deleted
//! with it; other options are shared between products.

use std::collections::{BTreeMap, HashSet};

use atoll_kernel::{
    Id, Metadata, Moment, Read, StoreError, Write,
    data::Patch,
    limits::{OPTION_VALUES_MAX, PRODUCT_OPTIONS_MAX},
    serde::{Deserialize, Serialize},
    stored,
};

use crate::{
    BY_OPTION, Error, OPTION_VALUES, OPTIONS, PRODUCTS, PRODUCTS_BY_OPTION, Product, ProductOption,
    ProductOptionPatch, ProductOptionValue, VARIANTS_BY_VALUE, variants_of,
};

stored! {
/// Input of a new option.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(crate = "::atoll_kernel::serde", default)]
pub struct OptionInput {
    /// Display name.
    pub title: String,
    /// Values; duplicates are dropped.
    pub values: Vec<String>,
    /// Ranks by value.
    pub ranks: BTreeMap<String, u32>,
    /// Does it belong to one product only?
    pub is_exclusive: bool,
    /// A JSON object of the client's, stored as it is.
    pub metadata: Metadata,
}
}

impl Default for OptionInput {
    fn default() -> Self {
        let ProductOption { title, is_exclusive, metadata, .. } = ProductOption::default();
        OptionInput { title, values: Vec::new(), ranks: BTreeMap::new(), is_exclusive, metadata }
    }
}

/// An update of an option. Absent fields stay unchanged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(crate = "::atoll_kernel::serde", default)]
pub struct OptionChanges {
    /// Fields of the record.
    #[serde(flatten)]
    pub patch: ProductOptionPatch,
    /// The complete new list of values.
    pub values: Option<Vec<String>>,
    /// Ranks by value.
    pub ranks: BTreeMap<String, u32>,
}

/// Creates an option with its values.
pub fn create_option(tx: &mut dyn Write, at: &Moment, input: OptionInput) -> Result<ProductOption, Error> {
    let OptionInput { title, values, ranks, is_exclusive, metadata } = input;
    let option = ProductOption { title, is_exclusive, metadata, ..ProductOption::default() };
    let option = OPTIONS.create(tx, at, option)?;
    offer_all(tx, at, &option.id, &values)?;
    rank(tx, at, &option.id, &ranks)?;
    Ok(option)
}

/// Changes an option. A value that is still in the list keeps its id; one that a variant has chosen cannot be
/// removed. An option that several products share cannot become exclusive.
pub fn update_option(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    changes: OptionChanges,
) -> Result<ProductOption, Error> {
    let OptionChanges { patch, values, ranks } = changes;
    let option = OPTIONS.update(tx, at, id, |it: &mut ProductOption| patch.apply(it))?;
    if option.is_exclusive && PRODUCTS_BY_OPTION.count_up_to(tx, &[id], 2)? > 1 {
        return Err(Error::SharedOption(option.title));
    }
    if let Some(values) = values {
        let kept: HashSet<&str> = values.iter().map(String::as_str).collect();
        for old in values_of(tx, id)? {
            if !kept.contains(&*old.value) {
                delete_option_value(tx, at, &old.id)?;
            }
        }
        offer_all(tx, at, &option.id, &values)?;
    }
    rank(tx, at, id, &ranks)?;
    Ok(option)
}

/// Soft-deletes an option with its values. Errors: a product has it.
pub fn delete_option(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<ProductOption>, Error> {
    let Some(option) = OPTIONS.get(tx, id)? else { return Ok(None) };
    if PRODUCTS_BY_OPTION.has_any(tx, &[id])? {
        return Err(Error::OptionInUse(option.title));
    }
    discard(tx, at, id)
}

/// Soft-deletes a value. Errors: a variant has chosen it.
pub fn delete_option_value(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
) -> Result<Option<ProductOptionValue>, Error> {
    let Some(value) = OPTION_VALUES.get(tx, id)? else { return Ok(None) };
    if VARIANTS_BY_VALUE.has_any(tx, &[id])? {
        return Err(Error::ValueInUse(value.value));
    }
    Ok(OPTION_VALUES.soft_delete(tx, at, id)?)
}

/// Adds an option to a product. Errors: it is exclusive to another product.
pub fn attach_option(tx: &mut dyn Write, at: &Moment, product: &str, option: &str) -> Result<(), Error> {
    let product = PRODUCTS.retrieve(tx, product)?;
    if !product.option_ids.iter().any(|it| **it == *option) {
        check_free(tx, option)?;
        if product.option_ids.len() >= PRODUCT_OPTIONS_MAX {
            return Err(Error::TooManyOptions);
        }
        PRODUCTS.update(tx, at, &product.id, |it: &mut Product| it.option_ids.push(option.into()))?;
    }
    Ok(())
}

/// Removes an option from a product; an exclusive one is deleted. Errors: a variant has chosen one of its
/// values.
pub fn detach_option(tx: &mut dyn Write, at: &Moment, product: &str, option: &str) -> Result<(), Error> {
    let product = PRODUCTS.retrieve(tx, product)?;
    if !product.option_ids.iter().any(|it| **it == *option) {
        return Ok(());
    }
    let values: Vec<Id<ProductOptionValue>> = values_of(tx, option)?.into_iter().map(|it| it.id).collect();
    let has_chosen = |ids: &[Id<ProductOptionValue>]| ids.iter().any(|it| values.contains(it));
    let option = OPTIONS.retrieve(tx, option)?;
    if variants_of(tx, &product.id)?.iter().any(|it| has_chosen(&it.option_value_ids)) {
        return Err(Error::OptionChosen(option.title));
    }
    PRODUCTS.update(tx, at, &product.id, |it: &mut Product| it.option_ids.retain(|id| *id != option.id))?;
    if option.is_exclusive {
        discard(tx, at, &option.id)?;
    }
    Ok(())
}

/// Sets the options of a product, in this order.
pub(crate) fn set_options(
    tx: &mut dyn Write,
    at: &Moment,
    product: &str,
    options: Vec<Id<ProductOption>>,
) -> Result<Product, Error> {
    if options.len() > PRODUCT_OPTIONS_MAX {
        return Err(Error::TooManyOptions);
    }
    for old in PRODUCTS.retrieve(tx, product)?.option_ids {
        if !options.contains(&old) {
            detach_option(tx, at, product, &old)?;
        }
    }
    for option in &options {
        attach_option(tx, at, product, option)?;
    }
    Ok(PRODUCTS.update(tx, at, product, |it: &mut Product| it.option_ids = options)?)
}

/// Adds the values to an option that it does not have. Errors: it has [`OPTION_VALUES_MAX`].
pub fn offer_all(tx: &mut dyn Write, at: &Moment, option: &str, values: &[String]) -> Result<(), Error> {
    let mut known: HashSet<String> = values_of(tx, option)?.into_iter().map(|it| it.value).collect();
    for value in values {
        if !known.insert(value.clone()) {
            continue;
        }
        if known.len() > OPTION_VALUES_MAX {
            return Err(Error::TooManyValues);
        }
        let (value, option_id) = (value.clone(), option.into());
        OPTION_VALUES.create(tx, at, ProductOptionValue { value, option_id, ..Default::default() })?;
    }
    Ok(())
}

/// The values that an option offers.
pub fn values_of(tx: &dyn Read, option: &str) -> Result<Vec<ProductOptionValue>, StoreError> {
    OPTION_VALUES.table.list_by(tx, &BY_OPTION, &[option])
}

/// Error if the option is exclusive to another product.
pub(crate) fn check_free(tx: &dyn Read, option: &str) -> Result<(), Error> {
    let Some(it) = OPTIONS.get(tx, option)? else {
        return Err(Error::NoReference { label: "ProductOption", id: option.to_owned() });
    };
    if it.is_exclusive && PRODUCTS_BY_OPTION.has_any(tx, &[option])? {
        return Err(Error::ExclusiveOption(it.title));
    }
    Ok(())
}

/// Soft-deletes an option with its values, without checking products.
pub(crate) fn discard(tx: &mut dyn Write, at: &Moment, option: &str) -> Result<Option<ProductOption>, Error> {
    for value in values_of(tx, option)? {
        OPTION_VALUES.soft_delete(tx, at, &value.id)?;
    }
    Ok(OPTIONS.soft_delete(tx, at, option)?)
}

fn rank(tx: &mut dyn Write, at: &Moment, option: &str, ranks: &BTreeMap<String, u32>) -> Result<(), Error> {
    for value in values_of(tx, option)? {
        if let Some(rank) = ranks.get(&value.value) {
            OPTION_VALUES.update(tx, at, &value.id, |it: &mut ProductOptionValue| it.rank = Some(*rank))?;
        }
    }
    Ok(())
}
