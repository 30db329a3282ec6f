//! The assortment of a channel: windows of products, excluded variants, priority and safety stock of
//! locations, safety stock of single items.

use atoll_inventory::level_or_not_stocked;
use atoll_kernel::{
    Decimal, Fault, Moment, Timestamp, Write, flow,
    flow::Local,
    serde_json::{Map, json},
};
use atoll_links::{
    PRIORITY, PRODUCT_SALES_CHANNEL, SAFETY_STOCK, SALES_CHANNEL_EXCLUDED_VARIANT,
    SALES_CHANNEL_INVENTORY_LEVEL, SALES_CHANNEL_STOCK_LOCATION, Window,
};
use atoll_sales_channel::SALES_CHANNELS;
use serde::{Deserialize, Deserializer};

use crate::points::{ASSORTMENT_UPDATED, OfId, VALIDATE_ID};

/// An update of a channel's assortment. Absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AssortmentUpdate {
    /// Id of the channel.
    #[serde(skip)]
    pub channel: String,
    /// Windows of products. Each product must be in the channel already.
    pub products: Vec<ProductTerms>,
    /// Enabled and excluded variants, of any product.
    pub variants: Vec<VariantTerms>,
    /// Settings of locations. Each must be linked to the channel already.
    pub stock_locations: Vec<LocationTerms>,
    /// Safety stock of single items. Each must be stocked at its location.
    pub inventory_items: Vec<ItemTerms>,
}

/// The window in which a channel sells a product.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProductTerms {
    /// The product.
    pub product_id: String,
    /// Start of the window; null is unlimited.
    #[serde(deserialize_with = "nullable")]
    pub available_from: Option<Option<Timestamp>>,
    /// End of the window, exclusive; null is unlimited.
    #[serde(deserialize_with = "nullable")]
    pub available_until: Option<Option<Timestamp>>,
}

/// Whether a channel sells a variant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct VariantTerms {
    /// The variant.
    pub variant_id: String,
    /// False excludes the variant from the channel.
    pub is_enabled: bool,
}

/// Settings of a location for a channel.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LocationTerms {
    /// The location.
    pub stock_location_id: String,
    /// Order in which stock is taken: the lowest number first.
    pub priority: Option<i64>,
    /// Quantity of each item that the channel leaves in stock there.
    pub safety_stock: Option<Decimal>,
}

/// How much of an item a channel leaves at a location.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ItemTerms {
    /// The item.
    pub inventory_item_id: String,
    /// The location.
    pub stock_location_id: String,
    /// Quantity of the item that stays there, whatever the location says; `None`: what the location says.
    pub safety_stock: Option<Decimal>,
}

/// Tells null from an absent field.
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

flow! {
    /// Updates the assortment of a channel: windows, exclusions, locations and items, in one transaction.
    pub static UPDATE_ASSORTMENT: Flow<AssortmentUpdate, ()> =
        "update-sales-channel-assortment" (update), hooks: &[&VALIDATE_ID, &ASSORTMENT_UPDATED];
}

fn update(flow: &mut Local<'_>, update: AssortmentUpdate) -> Result<(), Fault> {
    let channel = &update.channel;
    flow.hook(&VALIDATE_ID, || OfId::of(channel))?;
    flow.step("validate-sales-channel-exists", |tx, _| match SALES_CHANNELS.table.exists(tx, channel)? {
        true => Ok(()),
        false => Err(Fault::not_found(format!("Sales channel with id: {channel} not found"))),
    })?;
    flow.step("set-windows", |tx, at| {
        update.products.iter().try_for_each(|it| set_window(tx, at, channel, it))
    })?;
    flow.step("exclude-variants", |tx, at| {
        update.variants.iter().try_for_each(|it| exclude(tx, at, channel, it))
    })?;
    flow.step("set-locations", |tx, at| {
        update.stock_locations.iter().try_for_each(|it| set_location(tx, at, channel, it))
    })?;
    flow.step("set-items", |tx, at| {
        update.inventory_items.iter().try_for_each(|it| set_item(tx, at, channel, it))
    })?;
    flow.emit("sales-channel.updated", json!({ "id": channel }))?;
    flow.hook(&ASSORTMENT_UPDATED, || OfId::of(channel))?;
    Ok(())
}

fn set_window(tx: &mut dyn Write, at: &Moment, channel: &str, terms: &ProductTerms) -> Result<(), Fault> {
    let product = &terms.product_id;
    let Some(row) = PRODUCT_SALES_CHANNEL.row(tx, product, channel)? else {
        let text = format!("Product with id: {product} is not in sales channel {channel}");
        return Err(Fault::not_found(text));
    };
    let before = Window::of(&row);
    let from = terms.available_from.unwrap_or(before.from);
    let until = terms.available_until.unwrap_or(before.until);
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        let text = format!("Product {product}: available_from must be before available_until");
        return Err(Fault::invalid(text));
    }
    PRODUCT_SALES_CHANNEL.attach(tx, at, product, channel, Window { from, until }.columns())?;
    Ok(())
}

fn exclude(tx: &mut dyn Write, at: &Moment, channel: &str, terms: &VariantTerms) -> Result<(), Fault> {
    if terms.is_enabled {
        SALES_CHANNEL_EXCLUDED_VARIANT.detach(tx, at, channel, &terms.variant_id)?;
    } else {
        SALES_CHANNEL_EXCLUDED_VARIANT.attach(tx, at, channel, &terms.variant_id, Map::new())?;
    }
    Ok(())
}

fn set_location(tx: &mut dyn Write, at: &Moment, channel: &str, terms: &LocationTerms) -> Result<(), Fault> {
    let location = &terms.stock_location_id;
    if !SALES_CHANNEL_STOCK_LOCATION.has(tx, channel, location)? {
        let text = format!("Stock location with id: {location} is not linked to sales channel {channel}");
        return Err(Fault::not_found(text));
    }
    let mut columns = Map::new();
    columns.extend(terms.priority.map(|it| (PRIORITY.to_owned(), json!(it))));
    columns.extend(terms.safety_stock.map(|it| (SAFETY_STOCK.to_owned(), json!(it))));
    SALES_CHANNEL_STOCK_LOCATION.attach(tx, at, channel, location, columns)?;
    Ok(())
}

fn set_item(tx: &mut dyn Write, at: &Moment, channel: &str, terms: &ItemTerms) -> Result<(), Fault> {
    let level = level_or_not_stocked(tx, &terms.inventory_item_id, &terms.stock_location_id)?.id;
    match terms.safety_stock {
        Some(quantity) => {
            let columns = Map::from_iter([(SAFETY_STOCK.to_owned(), json!(quantity))]);
            SALES_CHANNEL_INVENTORY_LEVEL.attach(tx, at, channel, &level, columns)?;
        }
        None => drop(SALES_CHANNEL_INVENTORY_LEVEL.detach(tx, at, channel, &level)?),
    }
    Ok(())
}
