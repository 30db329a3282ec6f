//! The decision itself, over one channel and one state of the store.

use std::collections::HashMap;

use atoll_inventory::level_at;
use atoll_kernel::{Ctx, Decimal, Order, Read, Scan, StoreError};
use atoll_links::{
    PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM, SALES_CHANNEL_STOCK_LOCATION, required_quantity,
};
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS};
use atoll_sales_channel::{SALES_CHANNELS, SALES_CHANNELS_FLAG, SalesChannel};
use atoll_stock_location::STOCK_LOCATIONS;

/// Why something is not for sale in a channel. Admins see it; shoppers do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The channel does not exist, or was deleted.
    NoChannel,
    /// The channel is disabled.
    ChannelDisabled,
    /// The variant or its product does not exist, or was deleted.
    NoVariant,
    /// The product is not published.
    NotPublished(ProductStatus),
    /// The product is not linked to the channel.
    NotInChannel,
    /// The variant is counted, and takes no item that could be.
    NoInventoryItem,
    /// No location of the channel stocks what the variant takes.
    NoLocation,
    /// There is less than is asked for.
    NotEnough {
        /// How many of the variant there are.
        available: Decimal,
    },
}

/// What the decision says of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Can that many be sold?
    pub sellable: bool,
    /// How many there are; `None` where they are not counted.
    pub available: Option<Decimal>,
    /// Why not.
    pub reasons: Vec<Reason>,
}

/// Some of an item at a location, promised to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The item.
    pub item: String,
    /// The location.
    pub location: String,
    /// How much.
    pub quantity: Decimal,
    /// Is it more than there is?
    pub backordered: bool,
}

/// Who sells: a channel, or, where sales channels are switched off, the shop as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Market {
    /// The channel with this id. One that is empty or unknown sells nothing.
    Channel(String),
    /// All that is published, from all locations.
    Everything,
}

impl Market {
    /// Who sells what is in a cart of this channel.
    pub fn of(ctx: &Ctx, channel: Option<&str>) -> Market {
        if ctx.is_on(&SALES_CHANNELS_FLAG) {
            Market::Channel(channel.unwrap_or_default().to_owned())
        } else {
            Market::Everything
        }
    }

    /// What it sells, in the state that `view` shows.
    pub fn shelf<'a>(&self, view: &'a dyn Read) -> Result<Shelf<'a>, StoreError> {
        match self {
            Market::Channel(id) => Shelf::open(view, id),
            Market::Everything => {
                let mut locations = Vec::new();
                STOCK_LOCATIONS.table.scan(view, None, Order::Ascending, &mut |location| {
                    locations.push(location.id.to_string());
                    Ok(Scan::Continue(()))
                })?;
                Ok(Shelf { view, channel_id: None, channel: None, locations, places: HashMap::new() })
            }
        }
    }

    /// The channel, by its id.
    pub fn channel(&self) -> Option<&str> {
        match self {
            Market::Channel(id) => Some(id),
            Market::Everything => None,
        }
    }
}

/// What one channel, or the shop as a whole, can sell. What it reads it remembers, so that a page or a cart reads each level once; what
/// is taken is gone, so that lines that share an item cannot take the same piece twice.
pub struct Shelf<'a> {
    view: &'a dyn Read,
    /// None is the shop as a whole.
    channel_id: Option<String>,
    channel: Option<SalesChannel>,
    locations: Vec<String>,
    places: HashMap<String, Vec<Place>>,
}

/// An item at a location of the channel.
struct Place {
    location: String,
    available: Decimal,
    stocked: bool,
}

/// What a variant takes of one item.
struct Part {
    item: String,
    required: Decimal,
}

impl<'a> Shelf<'a> {
    /// The shelf of a channel, in the state that `view` shows.
    pub fn open(view: &'a dyn Read, channel_id: &str) -> Result<Self, StoreError> {
        let channel = SALES_CHANNELS.get(view, channel_id)?;
        let locations = SALES_CHANNEL_STOCK_LOCATION.rights(view, channel_id)?;
        let channel_id = Some(channel_id.to_owned());
        Ok(Shelf { view, channel_id, channel, locations, places: HashMap::new() })
    }

    /// The channel, if it exists.
    pub fn channel(&self) -> Option<&SalesChannel> {
        self.channel.as_ref()
    }

    /// Does the channel show this product? The reasons if not.
    pub fn shows(&self, product: &Product) -> Result<Vec<Reason>, StoreError> {
        let mut reasons = Vec::new();
        match (&self.channel_id, &self.channel) {
            (Some(_), None) => reasons.push(Reason::NoChannel),
            (Some(_), Some(channel)) if channel.is_disabled => reasons.push(Reason::ChannelDisabled),
            _ => {}
        }
        if product.status != ProductStatus::Published {
            reasons.push(Reason::NotPublished(product.status));
        }
        if let Some(channel) = &self.channel_id
            && !PRODUCT_SALES_CHANNEL.has(self.view, &product.id, channel)?
        {
            reasons.push(Reason::NotInChannel);
        }
        Ok(reasons)
    }

    /// Can the channel sell this many of this variant?
    pub fn decide(&mut self, variant_id: &str, quantity: Decimal) -> Result<Verdict, StoreError> {
        let no_variant = || Verdict { sellable: false, available: None, reasons: vec![Reason::NoVariant] };
        let Some(variant) = VARIANTS.get(self.view, variant_id)? else { return Ok(no_variant()) };
        let Some(product) = PRODUCTS.get(self.view, &variant.product_id)? else { return Ok(no_variant()) };
        let mut reasons = self.shows(&product)?;
        let available = self.available(&variant)?;
        if !variant.allow_backorder && !self.holds(&variant, quantity)? {
            reasons.push(self.why_not_enough(&variant, available.unwrap_or_default())?);
        }
        Ok(Verdict { sellable: reasons.is_empty(), available, reasons })
    }

    fn why_not_enough(&mut self, variant: &ProductVariant, available: Decimal) -> Result<Reason, StoreError> {
        let parts = self.parts(variant)?;
        if parts.is_empty() {
            return Ok(Reason::NoInventoryItem);
        }
        for part in &parts {
            if !self.places(&part.item)?.iter().any(|place| place.stocked) {
                return Ok(Reason::NoLocation);
            }
        }
        Ok(Reason::NotEnough { available })
    }

    /// Is there enough of everything that so many of this variant take?
    fn holds(&mut self, variant: &ProductVariant, quantity: Decimal) -> Result<bool, StoreError> {
        if !variant.manage_inventory {
            return Ok(true);
        }
        let parts = self.parts(variant)?;
        for part in &parts {
            let there: Decimal = self.places(&part.item)?.iter().map(|place| place.available).sum();
            if there < part.required * quantity {
                return Ok(false);
            }
        }
        Ok(!parts.is_empty())
    }

    /// How many whole ones of this variant there are over the locations of the channel; `None` where it is not counted.
    pub fn available(&mut self, variant: &ProductVariant) -> Result<Option<Decimal>, StoreError> {
        if !variant.manage_inventory {
            return Ok(None);
        }
        let mut least: Option<Decimal> = None;
        for part in self.parts(variant)? {
            let there: Decimal = self.places(&part.item)?.iter().map(|place| place.available).sum();
            let enough_for = (there / part.required).floor();
            least = Some(least.map_or(enough_for, |least| least.min(enough_for)));
        }
        Ok(Some(least.unwrap_or(Decimal::ZERO)))
    }

    /// Takes this many of a variant off the shelf: says from where, and leaves the rest for the next line.
    /// Nothing is taken when there is not enough.
    pub fn take(
        &mut self,
        variant: &ProductVariant,
        quantity: Decimal,
    ) -> Result<Result<Vec<Take>, Reason>, StoreError> {
        if !variant.manage_inventory {
            return Ok(Ok(Vec::new()));
        }
        if !variant.allow_backorder && !self.holds(variant, quantity)? {
            let available = self.available(variant)?.unwrap_or_default();
            return Ok(Err(self.why_not_enough(variant, available)?));
        }
        let parts = self.parts(variant)?;
        let mut takes = Vec::new();
        for part in parts {
            let needed = part.required * quantity;
            let places = self.places(&part.item)?;
            if places.is_empty() {
                return Ok(Err(Reason::NoLocation));
            }
            takes.extend(take_from(places, &part.item, needed));
        }
        Ok(Ok(takes))
    }

    /// What the variant takes of each item.
    fn parts(&self, variant: &ProductVariant) -> Result<Vec<Part>, StoreError> {
        let rows = PRODUCT_VARIANT_INVENTORY_ITEM.rows_of(self.view, &variant.id)?;
        Ok(rows.into_iter().map(|(item, row)| Part { item, required: required_quantity(&row) }).collect())
    }

    fn places(&mut self, item: &str) -> Result<&mut Vec<Place>, StoreError> {
        if !self.places.contains_key(item) {
            let mut places = Vec::with_capacity(self.locations.len());
            for location in &self.locations {
                let level = level_at(self.view, item, location)?;
                places.push(Place {
                    location: location.clone(),
                    // What is oversold at one location is not owed by another.
                    available: level.as_ref().map_or(Decimal::ZERO, |it| it.available()).max(Decimal::ZERO),
                    stocked: level.is_some(),
                });
            }
            self.places.insert(item.to_owned(), places);
        }
        Ok(self.places.get_mut(item).expect("it was put there"))
    }
}

/// Takes `needed` from one place that has enough, or else from one after the other. What is missing then is
/// backordered at the first place that stocks the item.
fn take_from(places: &mut [Place], item: &str, needed: Decimal) -> Vec<Take> {
    let mut takes = Vec::new();
    let mut take = |place: &mut Place, quantity: Decimal, backordered: bool| {
        if !backordered {
            place.available -= quantity;
        }
        takes.push(Take { item: item.to_owned(), location: place.location.clone(), quantity, backordered });
    };
    if let Some(place) = places.iter_mut().find(|place| place.available >= needed) {
        take(place, needed, false);
        return takes;
    }
    let mut missing = needed;
    for place in places.iter_mut() {
        let some = place.available.min(missing);
        if some > Decimal::ZERO {
            take(place, some, false);
            missing -= some;
        }
    }
    if missing > Decimal::ZERO {
        let stocked = places.iter().position(|place| place.stocked).unwrap_or(0);
        take(&mut places[stocked], missing, true);
    }
    takes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(available: &[i64], needed: i64, expect: &str) {
        let place = |(n, it): (usize, &i64)| Place {
            location: n.to_string(),
            available: Decimal::from(*it),
            stocked: true,
        };
        let mut places: Vec<Place> = available.iter().enumerate().map(place).collect();
        let takes = take_from(&mut places, "item", needed.into());
        let print =
            |it: &Take| format!("{}:{}{}", it.location, it.quantity, if it.backordered { "!" } else { "" });
        assert_eq!(takes.iter().map(print).collect::<Vec<_>>().join(" "), expect);
    }

    #[test]
    fn one_place_serves_if_it_can_and_several_if_they_must() {
        check(&[3, 5], 2, "0:2");
        check(&[3, 5], 4, "1:4");
        check(&[3, 3], 5, "0:3 1:2");
        check(&[0, 3], 5, "1:3 0:2!");
        check(&[0], 1, "0:1!");
    }
}
