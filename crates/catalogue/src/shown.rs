//! A product of the shop as the catalogue's: the reverse of an import.

use std::collections::HashMap;

use atoll_inventory::{BY_ITEM, INVENTORY_LEVELS};
use atoll_kernel::{Decimal, Id, StoreError, data::View};
use atoll_links::{
    PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET, required_quantity,
};
use atoll_pricing::PRICE_SETS;
use atoll_product::{
    CATEGORIES, COLLECTIONS, OPTIONS, Product, ProductOption, ProductVariant, TAGS, TYPES, values_of,
    variants_of,
};

use crate::{
    CatalogueListing, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant, Detail,
    model::{ProductRows, VariantRows, WantedStatus},
    names::Names,
};

/// A product with all that files of rows have of it. Locations are named by id.
pub(crate) fn product_of(
    view: &View,
    mut product: Product,
    channels: &Names,
) -> Result<CatalogueProduct, StoreError> {
    let product_type = product.type_id.as_ref().map(|it| TYPES.get(view, it)).transpose()?.flatten();
    let collection =
        product.collection_id.as_ref().map(|it| COLLECTIONS.get(view, it)).transpose()?.flatten();
    let (mut tags, mut categories) = (Vec::new(), Vec::new());
    for id in &product.tag_ids {
        tags.extend(TAGS.get(view, id)?.map(|it| it.value));
    }
    for id in &product.category_ids {
        categories.extend(CATEGORIES.get(view, id)?.map(|it| it.handle));
    }
    let details = Detail::ALL.into_iter().map(|it| (it, it.of_product(&mut product))).collect();
    let mut listings = Vec::new();
    for channel in PRODUCT_SALES_CHANNEL.rights(view, &product.id)? {
        let channel = channels.of_id(&channel).map(str::to_owned).unwrap_or(channel);
        listings.push(CatalogueListing { channel, published: true, ..CatalogueListing::default() });
    }
    let options = options_of(view, &product)?;
    let mut variants = Vec::new();
    for variant in variants_of(view, &product.id)? {
        variants.push(variant_of(view, variant, &options)?);
    }
    let mut images = product.images;
    images.sort_by_key(|it| it.rank);
    Ok(CatalogueProduct {
        handle: product.handle,
        title: product.title,
        description: product.description,
        r#type: product_type.map(|it| it.value),
        collections: collection.into_iter().map(|it| it.handle).collect(),
        images: images.into_iter().map(|it| it.url).collect(),
        listings,
        variants,
        rows: ProductRows {
            id: product.id.to_string(),
            status: Some(WantedStatus::Is(product.status)),
            tags: Some(tags),
            categories: Some(categories),
            details,
            ..ProductRows::default()
        },
        ..CatalogueProduct::default()
    })
}

/// The title of an option, and its values by id.
type Values = (String, HashMap<String, String>);

fn options_of(view: &View, product: &Product) -> Result<Vec<Values>, StoreError> {
    let mut options = Vec::new();
    for id in &product.option_ids {
        let title = OPTIONS.get(view, id)?.map(|it: ProductOption| it.title).unwrap_or_default();
        let values = values_of(view, id)?.into_iter().map(|it| (it.id.to_string(), it.value)).collect();
        options.push((title, values));
    }
    Ok(options)
}

fn variant_of(
    view: &View,
    mut variant: ProductVariant,
    options: &[Values],
) -> Result<CatalogueVariant, StoreError> {
    let details = Detail::ALL.into_iter().map(|it| (it, it.of_variant(&mut variant))).collect();
    let value = |(title, values): &Values| {
        let value = variant.option_value_ids.iter().find_map(|id: &Id<_>| values.get(&**id))?;
        Some((title.clone(), value.clone()))
    };
    let options = options.iter().filter_map(value).collect();
    Ok(CatalogueVariant {
        prices: prices_of(view, &variant)?,
        stock: stock_of(view, &variant)?,
        rows: VariantRows { id: variant.id.to_string(), options, details, ..VariantRows::default() },
        sku: variant.sku,
        title: variant.title,
        manage_inventory: variant.manage_inventory,
        allow_backorder: variant.allow_backorder,
        ..CatalogueVariant::default()
    })
}

/// The prices that hold for everyone, in any quantity: the first of each currency.
fn prices_of(view: &View, variant: &ProductVariant) -> Result<Vec<CataloguePrice>, StoreError> {
    let mut prices: Vec<CataloguePrice> = Vec::new();
    for set in PRODUCT_VARIANT_PRICE_SET.rights(view, &variant.id)? {
        let plain = PRICE_SETS.get(view, &set)?.into_iter().flat_map(|it| it.prices);
        for price in plain.filter(|it| it.rules.is_empty() && it.min_quantity.is_none()) {
            if prices.iter().all(|it| it.currency_code != price.currency_code) {
                let amount = price.amount.to_string();
                let currency_code = price.currency_code;
                prices.push(CataloguePrice { currency_code, amount, ..CataloguePrice::default() });
            }
        }
    }
    Ok(prices)
}

/// The stock of a variant that is one item; a kit has none of its own.
fn stock_of(view: &View, variant: &ProductVariant) -> Result<Vec<CatalogueStock>, StoreError> {
    let items = PRODUCT_VARIANT_INVENTORY_ITEM.rows_of(view, &variant.id)?;
    let [(item, row)] = &items[..] else { return Ok(Vec::new()) };
    if !variant.manage_inventory || required_quantity(row) != Decimal::ONE {
        return Ok(Vec::new());
    }
    let levels = INVENTORY_LEVELS.table.list_by(view, &BY_ITEM, &[item])?;
    let stock = levels.into_iter().map(|it| CatalogueStock {
        location: it.location_id,
        stocked_quantity: it.stocked_quantity,
        ..CatalogueStock::default()
    });
    Ok(stock.collect())
}
