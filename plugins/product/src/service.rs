//! Creating, changing, soft-deleting and restoring products with their options and variants.

use std::collections::{BTreeMap, HashSet};

use atoll_kernel::{
    Id, Moment, Read, StoreError, Timestamp, Write,
    data::{Entity, Index, Service},
    limits::PRODUCT_OPTIONS_MAX,
};

use crate::{
    BY_PRODUCT, CATEGORIES, COLLECTIONS, Choices, DELETED_WITH_OPTION, DELETED_WITH_PRODUCT, Error,
    OPTION_VALUES, OPTIONS, OptionInput, PRODUCTS, Product, ProductOptionValue, ProductPatch, ProductVariant,
    ProductVariantPatch, TAGS, TYPES, VARIANTS, create_option,
    handle::{check, handle_for},
    images::number_images,
    options::{check_free, discard, set_options},
    values_of,
};

/// Creates a product and its options; options that it names by id exist already. By default its handle is
/// generated from its title, and its thumbnail is the first image; gift cards cannot be discounted.
pub fn create_product(
    tx: &mut dyn Write,
    at: &Moment,
    mut product: Product,
    options: &[OptionInput],
) -> Result<Product, Error> {
    if options.is_empty() && product.option_ids.is_empty() {
        return Err(Error::NoOptions(product.title));
    }
    if options.len() + product.option_ids.len() > PRODUCT_OPTIONS_MAX {
        return Err(Error::TooManyOptions);
    }
    product.handle = handle_for::<Product>(at, &product.handle, &product.title);
    check(&product.handle)?;
    if product.is_giftcard {
        product.discountable = false;
    }
    if product.id.is_empty() {
        product.id = at.id();
    }
    number_images(&mut product, &[], at);
    check_references(tx, &Product::default(), &product)?;
    product.option_ids.iter().try_for_each(|it| check_free(tx, it))?;
    for option in options {
        product.option_ids.push(create_option(tx, at, option.clone())?.id);
    }
    Ok(PRODUCTS.create(tx, at, product)?)
}

/// Changes a product.
pub fn update_product(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut patch: ProductPatch,
) -> Result<Product, Error> {
    let options = patch.option_ids.take();
    let before = PRODUCTS.retrieve(tx, id)?;
    if let Some(handle) = &mut patch.handle {
        *handle = handle_for::<Product>(at, handle, patch.title.as_ref().unwrap_or(&before.title));
        check(handle)?;
    }
    let product = PRODUCTS.update(tx, at, id, |it: &mut Product| {
        let pictured = patch.images.is_some();
        atoll_kernel::data::Patch::apply(patch, it);
        if pictured {
            number_images(it, &before.images, at);
        }
    })?;
    check_references(tx, &before, &product)?;
    options.map_or(Ok(product), |it| set_options(tx, at, id, it))
}

/// New references to the taxonomy must exist. Unchanged ones are not checked again.
fn check_references(tx: &dyn Read, before: &Product, after: &Product) -> Result<(), Error> {
    exist(tx, &TYPES, before.type_id.as_slice(), after.type_id.as_slice())?;
    exist(tx, &COLLECTIONS, before.collection_id.as_slice(), after.collection_id.as_slice())?;
    exist(tx, &TAGS, &before.tag_ids, &after.tag_ids)?;
    exist(tx, &CATEGORIES, &before.category_ids, &after.category_ids)
}

fn exist<T: Entity>(
    tx: &dyn Read,
    service: &Service<T>,
    before: &[Id<T>],
    after: &[Id<T>],
) -> Result<(), Error> {
    let before: HashSet<&str> = before.iter().map(|it| &**it).collect();
    for id in after.iter().filter(|it| !before.contains(&***it)) {
        if !service.table.exists(tx, id)? {
            return Err(Error::NoReference { label: T::DEF.label, id: id.to_string() });
        }
    }
    Ok(())
}

/// The variants of a product, by rank.
pub fn variants_of(tx: &dyn Read, product: &str) -> Result<Vec<ProductVariant>, StoreError> {
    let mut variants = VARIANTS.table.list_by(tx, &BY_PRODUCT, &[product])?;
    variants.sort_by_key(|it| it.variant_rank);
    Ok(variants)
}

/// Creates a variant of `product` with these option values: title of the option → value. Of several, see
/// [`Choices`].
pub fn create_variant(
    tx: &mut dyn Write,
    at: &Moment,
    product: &Product,
    variant: ProductVariant,
    choice: &BTreeMap<String, String>,
) -> Result<ProductVariant, Error> {
    Choices::of(tx, product)?.create_variant(tx, at, variant, choice)
}

/// Error if another variant of the product has the same option values.
fn check_twins(
    tx: &dyn Read,
    product: &Product,
    chosen: &[Id<ProductOptionValue>],
    own: Option<&str>,
) -> Result<(), Error> {
    let is_twin = |it: &ProductVariant| it.option_value_ids == chosen && Some(&*it.id) != own;
    match variants_of(tx, &product.id)?.into_iter().find(is_twin) {
        Some(twin) if !chosen.is_empty() => Err(Error::SameOptions(twin.title)),
        _ => Ok(()),
    }
}

/// The records of the option values that are given by option title and value.
fn choose(
    tx: &dyn Read,
    product: &Product,
    title: &str,
    choice: &BTreeMap<String, String>,
) -> Result<Vec<Id<ProductOptionValue>>, Error> {
    if choice.is_empty() {
        return Ok(Vec::new());
    }
    if choice.len() != product.option_ids.len() {
        let (expected, got) = (product.option_ids.len(), choice.len());
        return Err(Error::OptionCount { expected, got, title: title.to_owned() });
    }
    let mut chosen = Vec::with_capacity(choice.len());
    for option_id in &product.option_ids {
        let option = OPTIONS.retrieve(tx, option_id)?;
        let value = choice.get(&option.title).cloned().unwrap_or_default();
        match values_of(tx, option_id)?.into_iter().find(|it| it.value == value) {
            Some(value) => chosen.push(value.id),
            None => return Err(Error::OptionValue { value, option: option.title }),
        }
    }
    Ok(chosen)
}

/// Changes a variant, and its option values, if any are given.
pub fn update_variant(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    mut patch: ProductVariantPatch,
    choice: &BTreeMap<String, String>,
) -> Result<ProductVariant, Error> {
    if !choice.is_empty() {
        let variant = VARIANTS.retrieve(tx, id)?;
        let product = PRODUCTS.retrieve(tx, &variant.product_id)?;
        let chosen = choose(tx, &product, patch.title.as_ref().unwrap_or(&variant.title), choice)?;
        check_twins(tx, &product, &chosen, Some(id))?;
        patch.option_value_ids = Some(chosen);
    }
    Ok(VARIANTS.update(tx, at, id, |it: &mut ProductVariant| {
        atoll_kernel::data::Patch::apply(patch, it);
        without_empty_codes(it);
    })?)
}

/// Stores empty codes as none, because codes are unique.
pub(crate) fn without_empty_codes(variant: &mut ProductVariant) {
    for code in [&mut variant.sku, &mut variant.barcode, &mut variant.ean, &mut variant.upc] {
        code.take_if(|it| it.trim().is_empty());
    }
}

/// Soft-deletes a variant, with its links.
pub fn delete_variant(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<ProductVariant>, Error> {
    Ok(VARIANTS.soft_delete(tx, at, id)?)
}

/// Soft-deletes a product, and as a cascade its variants and exclusive options.
pub fn delete_product(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<Product>, Error> {
    let Some(product) = PRODUCTS.get(tx, id)? else { return Ok(None) };
    for variant in variants_of(tx, id)? {
        VARIANTS.soft_delete(tx, at, &variant.id)?;
    }
    for option_id in &product.option_ids {
        if OPTIONS.get(tx, option_id)?.is_some_and(|it| it.is_exclusive) {
            discard(tx, at, option_id)?;
        }
    }
    Ok(PRODUCTS.soft_delete(tx, at, id)?)
}

/// Restores a soft-deleted product, with the variants that were deleted with it (those with the same deletion
/// time), and its options.
pub fn restore_product(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<Product>, Error> {
    let Some(deleted) = PRODUCTS.table.get_deleted(tx, id)? else { return Ok(None) };
    let product = PRODUCTS.restore(tx, at, id)?;
    for option_id in &deleted.option_ids {
        let Some(option) = OPTIONS.table.get_deleted(tx, option_id)? else { continue };
        OPTIONS.restore(tx, at, option_id)?;
        restore_along(tx, at, &OPTION_VALUES, &DELETED_WITH_OPTION, option_id, option.deleted_at)?;
    }
    restore_along(tx, at, &VARIANTS, &DELETED_WITH_PRODUCT, id, deleted.deleted_at)?;
    Ok(product)
}

/// Brings back what was soft-deleted with a record of this id, at the same moment.
fn restore_along<T: Entity>(
    tx: &mut dyn Write,
    at: &Moment,
    service: &Service<T>,
    index: &Index<T>,
    id: &str,
    deleted_at: Option<Timestamp>,
) -> Result<(), Error> {
    let Some(deleted_at) = deleted_at else { return Ok(()) };
    for id in service.table.ids_by(tx, index, &[id, &deleted_at.to_string()])? {
        service.restore(tx, at, &id)?;
    }
    Ok(())
}
