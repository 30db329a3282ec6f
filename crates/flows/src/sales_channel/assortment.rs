//! The assortment of a channel: windows of products, excluded variants, priority and safety stock of
//! locations, safety stock of single items.

use std::collections::HashMap;

use atoll_inventory::level_or_not_stocked;
use atoll_kernel::{
    Decimal, Fault, FaultKind, Moment, Read, Timestamp, Write,
    data::present,
    flow,
    flow::Local,
    serde_json::{Map, json},
};
use atoll_links::{
    PRIORITY, PRODUCT_SALES_CHANNEL, SAFETY_STOCK, SALES_CHANNEL_EXCLUDED_VARIANT,
    SALES_CHANNEL_INVENTORY_LEVEL, SALES_CHANNEL_STOCK_LOCATION, Window,
};
use atoll_product::PRODUCTS;
use atoll_sales_channel::SALES_CHANNELS;
use serde::{Deserialize, Serialize};

use super::{ChannelProducts, LINK_PRODUCTS_TO_SALES_CHANNEL};
use crate::points::{ASSORTMENT_UPDATED, OfId, VALIDATE_ID};

/// An update of a channel's assortment. Absent fields stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct AssortmentUpdate {
    /// Id of the channel.
    #[serde(skip)]
    pub channel: String,
    /// Products with their windows.
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
    #[serde(deserialize_with = "present")]
    pub available_from: Option<Option<Timestamp>>,
    /// End of the window, exclusive; null is unlimited.
    #[serde(deserialize_with = "present")]
    pub available_until: Option<Option<Timestamp>>,
    /// True puts the product into the channel, false takes it out. Absent: it must be in it already.
    pub is_in_channel: Option<bool>,
    /// What the caller takes for granted: if the product stands otherwise, nothing is written.
    pub expected: Option<Standing>,
}

/// A product as a channel has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Does the channel sell it at any time?
    pub is_in_channel: bool,
    /// Start of the window; none is unlimited.
    pub available_from: Option<Timestamp>,
    /// End of the window, exclusive; none is unlimited.
    pub available_until: Option<Timestamp>,
}

impl Standing {
    /// That of a product in a channel.
    pub fn of(view: &dyn Read, channel: &str, product: &str) -> Result<Standing, Fault> {
        let row = PRODUCT_SALES_CHANNEL.row(view, product, channel)?;
        Ok(row.map_or_else(Standing::default, |row| {
            let Window { from, until } = Window::of(&row);
            Standing { is_in_channel: true, available_from: from, available_until: until }
        }))
    }

    /// Its window.
    pub fn window(self) -> Window {
        Window { from: self.available_from, until: self.available_until }
    }
}

/// What an update changes of a product.
#[derive(Clone, Debug)]
pub struct ProductChange {
    /// The product.
    pub product_id: String,
    /// How it stands.
    pub before: Standing,
    /// How it stands afterwards.
    pub after: Standing,
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
    let changes = flow.step("plan-products", |tx, _| plan_products(tx, &update))?;
    let [add, remove] = [(false, true), (true, false)].map(|turn| {
        let turns = changes.iter().filter(|it| (it.before.is_in_channel, it.after.is_in_channel) == turn);
        turns.map(|it| it.product_id.clone()).collect::<Vec<_>>()
    });
    if !(add.is_empty() && remove.is_empty()) {
        let products =
            ChannelProducts { channel: channel.clone(), add, remove, ..ChannelProducts::default() };
        flow.run(&LINK_PRODUCTS_TO_SALES_CHANNEL, products)?;
    }
    flow.step("set-windows", |tx, at| {
        for it in changes.iter().filter(|it| it.after.is_in_channel) {
            let columns = it.after.window().columns();
            PRODUCT_SALES_CHANNEL.attach(tx, at, &it.product_id, channel, columns)?;
        }
        Ok(())
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

/// What the update changes of products: once for each, in the order in which they are given. Errors: 404 for
/// a product that is not there or not in the channel, 400 for a window that ends before it begins, 409 for a
/// product that does not stand as expected.
pub fn plan_products(view: &dyn Read, update: &AssortmentUpdate) -> Result<Vec<ProductChange>, Fault> {
    let mut changes: Vec<ProductChange> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for terms in &update.products {
        let id = &terms.product_id;
        let place = match places.get(id.as_str()) {
            Some(place) => *place,
            None => {
                let before = Standing::of(view, &update.channel, id)?;
                changes.push(ProductChange { product_id: id.clone(), before, after: before });
                places.insert(id, changes.len() - 1);
                changes.len() - 1
            }
        };
        let change = &mut changes[place];
        change.after = terms.applied_to(view, &update.channel, change.after)?;
    }
    Ok(changes)
}

impl ProductTerms {
    /// How the product stands afterwards.
    fn applied_to(&self, view: &dyn Read, channel: &str, before: Standing) -> Result<Standing, Fault> {
        let id = &self.product_id;
        if self.expected.is_some_and(|it| it != before) {
            let text = format!("Product {id} was changed in sales channel {channel} meanwhile");
            return Err(Fault::new(FaultKind::Conflict, text));
        }
        let is_in_channel = self.is_in_channel.unwrap_or(before.is_in_channel);
        if self.is_in_channel.is_none() && !is_in_channel {
            let text = format!("Product with id: {id} is not in sales channel {channel}");
            return Err(Fault::not_found(text));
        }
        if !is_in_channel {
            return Ok(Standing::default());
        }
        if !before.is_in_channel && !PRODUCTS.table.exists(view, id)? {
            return Err(Fault::not_found(format!("Product with id: {id} was not found")));
        }
        let available_from = self.available_from.unwrap_or(before.available_from);
        let available_until = self.available_until.unwrap_or(before.available_until);
        if available_from.zip(available_until).is_some_and(|(from, until)| from >= until) {
            let text = format!("Product {id}: available_from must be before available_until");
            return Err(Fault::invalid(text));
        }
        Ok(Standing { is_in_channel, available_from, available_until })
    }
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
