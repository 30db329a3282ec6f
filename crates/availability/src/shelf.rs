//! The decision over one channel and one snapshot: visibility, price, stock on hand, allocation to locations,
//! backorders.

use std::collections::HashMap;

use atoll_inventory::{InventoryLevel, level_at};
use atoll_kernel::{
    Ctx, Decimal, Now, Read, StoreError, Timestamp,
    data::{Direction, Scan},
    query::Ids,
    storefront::{Reason, Verdict},
};
use atoll_links::{
    PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM, SALES_CHANNEL_EXCLUDED_VARIANT,
    SALES_CHANNEL_INVENTORY_LEVEL, SALES_CHANNEL_STOCK_LOCATION, Window, priority, required_quantity,
    safety_stock,
};
use atoll_pricing::PriceContext;
use atoll_product::{PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS};
use atoll_sales_channel::{SALES_CHANNELS, SALES_CHANNELS_FLAG, SalesChannel};
use atoll_stock_location::STOCK_LOCATIONS;

use crate::price_of;

/// A quantity of an item at a location, allocated to a line of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The id of the inventory item.
    pub item: String,
    /// The id of the stock location.
    pub location: String,
    /// The quantity of the item.
    pub quantity: Decimal,
    /// Is it a backorder, beyond the available quantity?
    pub backordered: bool,
}

/// The seller and the time of a sale: a channel, or the shop as a whole where sales channels are switched
/// off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seller {
    /// The id of the channel; an unknown one sells nothing. `None` sells everything that is published, from
    /// all locations.
    channel: Option<String>,
    at: Now,
}

impl Seller {
    /// The seller of a cart of this channel, at this time.
    pub fn of(ctx: &Ctx, channel: Option<&str>, at: impl Into<Now>) -> Seller {
        let channel = ctx.is_on(&SALES_CHANNELS_FLAG).then(|| channel.unwrap_or_default().to_owned());
        Seller { channel, at: at.into() }
    }

    /// A channel, whether or not it exists.
    pub fn in_channel(channel: &str, at: &Now) -> Seller {
        Seller { channel: Some(channel.to_owned()), at: at.clone() }
    }

    /// The shop as a whole.
    pub fn everything(at: impl Into<Now>) -> Seller {
        Seller { channel: None, at: at.into() }
    }

    /// Its shelf, in the snapshot `view`.
    pub fn shelf<'a>(&self, view: &'a dyn Read) -> Result<Shelf<'a>, StoreError> {
        if let Some(channel) = &self.channel {
            return Shelf::open(view, channel, &self.at);
        }
        let mut locations = Vec::new();
        STOCK_LOCATIONS.table.scan(view, None, Direction::Ascending, &mut |location| {
            locations.push(Location { id: location.id.to_string(), ..Location::default() });
            Ok(Scan::Continue(()))
        })?;
        let (at, stocks) = (self.at.clone(), HashMap::new());
        Ok(Shelf { view, at, channel_id: None, channel: None, locations, holds_back_items: false, stocks })
    }

    /// The time of the sale.
    pub fn at(&self) -> &Now {
        &self.at
    }

    /// The id of the channel; `None` for the shop as a whole.
    pub fn channel(&self) -> Option<&str> {
        self.channel.as_deref()
    }
}

/// What a channel, or the shop as a whole, can sell.
///
/// Stock levels are cached, so that a page or a cart reads each once. Allocated stock is deducted, so that
/// two lines with the same item cannot get the same piece.
pub struct Shelf<'a> {
    view: &'a dyn Read,
    at: Now,
    /// `None` for the shop as a whole.
    channel_id: Option<String>,
    channel: Option<SalesChannel>,
    locations: Vec<Location>,
    /// Is there an item at all of which the channel holds back another quantity than of the others?
    holds_back_items: bool,
    stocks: HashMap<String, Vec<Stock>>,
}

/// A stock location of the channel, in order of priority.
#[derive(Clone, Debug, Default)]
pub(crate) struct Location {
    pub(crate) id: String,
    pub(crate) priority: i64,
    /// The quantity of each item that the channel does not sell from there, but for items with their own.
    pub(crate) safety_stock: Decimal,
}

/// The stock of an item at a location of the channel.
struct Stock {
    location: String,
    available: Decimal,
    is_stocked: bool,
}

/// An inventory item of a variant, and the quantity that one piece requires.
pub(crate) struct Component {
    pub(crate) item: String,
    pub(crate) required: Decimal,
}

/// A verdict at a time.
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    /// The amount, if a price is required and there is one.
    pub(crate) price: Option<Decimal>,
    /// The next moment at which time alone may change this; `None` if it never does.
    pub(crate) changes_at: Option<Timestamp>,
}

/// A variant with what a decision on it looks at, whichever channel decides.
pub(crate) struct Article {
    pub(crate) product: Product,
    pub(crate) variant: ProductVariant,
    /// None if its stock is not managed.
    components: Vec<Component>,
}

impl Article {
    /// The article of the variant with this id; `None` if it or its product does not exist.
    pub(crate) fn read(view: &dyn Read, id: &str) -> Result<Option<Article>, StoreError> {
        VARIANTS.get(view, id)?.map_or(Ok(None), |it| Article::of(view, it))
    }

    /// The article of a variant; `None` if its product does not exist.
    pub(crate) fn of(view: &dyn Read, variant: ProductVariant) -> Result<Option<Article>, StoreError> {
        let Some(product) = PRODUCTS.get(view, &variant.product_id)? else { return Ok(None) };
        let components = match variant.manage_inventory {
            true => components(view, &variant.id)?,
            false => Vec::new(),
        };
        Ok(Some(Article { product, variant, components }))
    }
}

impl<'a> Shelf<'a> {
    /// The shelf of a channel at this time, in the snapshot `view`.
    pub fn open(view: &'a dyn Read, channel_id: &str, at: impl Into<Now>) -> Result<Self, StoreError> {
        let channel = SALES_CHANNELS.get(view, channel_id)?;
        let rows = SALES_CHANNEL_STOCK_LOCATION.rows_of(view, channel_id)?;
        let location =
            |(id, row)| Location { id, priority: priority(&row), safety_stock: safety_stock(&row) };
        let mut locations: Vec<Location> = rows.into_iter().map(location).collect();
        // The sort is stable: of equal priorities the location that was linked first comes first.
        locations.sort_by_key(|it| it.priority);
        let (at, channel_id) = (at.into(), channel_id.to_owned());
        let items = SALES_CHANNEL_INVENTORY_LEVEL.rights_set(channel_id.clone());
        let holds_back_items = !locations.is_empty() && items.count(view)? > 0;
        let (channel_id, stocks) = (Some(channel_id), HashMap::new());
        Ok(Shelf { view, at, channel_id, channel, locations, holds_back_items, stocks })
    }

    /// The same shelf, of one of its locations alone.
    pub(crate) fn only_at(mut self, location: &str) -> Self {
        self.locations.retain(|it| it.id == location);
        self.stocks.clear();
        self
    }

    /// The channel, if it exists.
    pub fn channel(&self) -> Option<&SalesChannel> {
        self.channel.as_ref()
    }

    /// The stock locations in order of priority.
    pub(crate) fn locations(&self) -> &[Location] {
        &self.locations
    }

    /// The reasons why the channel does not show the product; empty if it does.
    pub fn shows(&self, product: &Product) -> Result<Vec<Reason>, StoreError> {
        let mut reasons = Vec::new();
        match (&self.channel_id, &self.channel) {
            (Some(_), None) => reasons.push(Reason::NoChannel),
            (Some(_), Some(channel)) if channel.is_disabled => reasons.push(Reason::ChannelDisabled),
            _ => {}
        }
        if product.status != ProductStatus::Published {
            reasons.push(Reason::NotPublished { status: product.status.as_str() });
        }
        let Some(channel) = &self.channel_id else { return Ok(reasons) };
        match PRODUCT_SALES_CHANNEL.row(self.view, &product.id, channel)?.map(|row| Window::of(&row)) {
            None => reasons.push(Reason::NotInChannel),
            Some(Window { from: Some(from), .. }) if !self.at.has_reached(from) => {
                reasons.push(Reason::NotYet { from })
            }
            Some(Window { until: Some(until), .. }) if self.at.has_reached(until) => {
                reasons.push(Reason::NoLonger { until });
            }
            Some(_) => {}
        }
        Ok(reasons)
    }

    /// The reasons why the channel does not show the variant; empty if it does.
    pub fn shows_variant(&self, product: &Product, variant: &str) -> Result<Vec<Reason>, StoreError> {
        let mut reasons = self.shows(product)?;
        if let Some(channel) = &self.channel_id
            && SALES_CHANNEL_EXCLUDED_VARIANT.has(self.view, channel, variant)?
        {
            reasons.push(Reason::VariantExcluded);
        }
        Ok(reasons)
    }

    /// Decides whether the channel can sell this quantity of the variant. A price is required if `price` is
    /// given. The verdict holds all reasons against it.
    pub fn decide(
        &mut self,
        variant_id: &str,
        quantity: Decimal,
        price: Option<&PriceContext>,
    ) -> Result<Verdict, StoreError> {
        let article = Article::read(self.view, variant_id)?;
        Ok(self.decide_on(article.as_ref(), quantity, price)?.0)
    }

    /// As `decide`, for an article that was read before, `None` if there is no such variant; with the amount
    /// if a price is required.
    pub(crate) fn decide_on(
        &mut self,
        article: Option<&Article>,
        quantity: Decimal,
        price: Option<&PriceContext>,
    ) -> Result<(Verdict, Option<Decimal>), StoreError> {
        let channel = self.channel_id.clone();
        let Some(Article { product, variant, components }) = article else {
            let reasons = vec![Reason::NoVariant];
            return Ok((Verdict { channel, sellable: false, available: None, reasons }, None));
        };
        let mut reasons = self.shows_variant(product, &variant.id)?;
        let amount = price.map_or(Ok(None), |it| price_of(self.view, &variant.id, it))?;
        if price.is_some() && amount.is_none() {
            reasons.push(Reason::NoPrice);
        }
        let mut available = None;
        if variant.manage_inventory {
            reasons.extend(self.shortage(variant, components, quantity)?);
            available = Some(self.pieces(components)?);
        }
        Ok((Verdict { channel, sellable: reasons.is_empty(), available, reasons }, amount))
    }

    /// As `decide_on`, at this time. The stock is that of the snapshot at any time.
    pub(crate) fn decide_at(
        &mut self,
        at: Timestamp,
        article: Option<&Article>,
        quantity: Decimal,
        price: Option<&PriceContext>,
    ) -> Result<Decision, StoreError> {
        let ((verdict, price), changes_at) = Now::lasting(at, |now| {
            self.at = now.clone();
            let price = price.map(|it| PriceContext { at: now.clone(), ..it.clone() });
            self.decide_on(article, quantity, price.as_ref())
        })?;
        Ok(Decision { verdict, price, changes_at })
    }

    /// Why this quantity of a variant with managed inventory is not in stock; `None` if it is.
    fn shortage(
        &mut self,
        variant: &ProductVariant,
        components: &[Component],
        quantity: Decimal,
    ) -> Result<Option<Reason>, StoreError> {
        if variant.allow_backorder {
            // A backorder also needs a location to be reserved at.
            let has_no_location = self.locations.is_empty() && !components.is_empty();
            return Ok(has_no_location.then_some(Reason::NoLocation));
        }
        if components.is_empty() {
            return Ok(Some(Reason::NoInventoryItem));
        }
        let mut is_enough = true;
        for component in components {
            let stocks = self.stocks(&component.item)?;
            if !stocks.iter().any(|stock| stock.is_stocked) {
                return Ok(Some(Reason::NoLocation));
            }
            let available: Decimal = stocks.iter().map(|stock| stock.available).sum();
            is_enough &= component.required * quantity <= available;
        }
        if is_enough {
            return Ok(None);
        }
        Ok(Some(Reason::NotEnough { available: self.pieces(components)? }))
    }

    /// The whole pieces of the variant that are available over all locations of the channel; `None` if
    /// inventory is not managed.
    pub fn available(&mut self, variant: &ProductVariant) -> Result<Option<Decimal>, StoreError> {
        if !variant.manage_inventory {
            return Ok(None);
        }
        self.pieces(&components(self.view, &variant.id)?).map(Some)
    }

    /// The whole pieces that these components make, over all locations of the channel.
    pub(crate) fn pieces(&mut self, components: &[Component]) -> Result<Decimal, StoreError> {
        whole_pieces(components, |item| Ok(self.stocks(item)?.iter().map(|stock| stock.available).sum()))
    }

    /// Allocates a quantity of the variant to locations and deducts it, so that the next line sees the rest.
    /// If stock is insufficient, nothing is allocated.
    pub fn allocate(
        &mut self,
        variant: &ProductVariant,
        quantity: Decimal,
    ) -> Result<Result<Vec<Allocation>, Reason>, StoreError> {
        if !variant.manage_inventory {
            return Ok(Ok(Vec::new()));
        }
        let components = components(self.view, &variant.id)?;
        if let Some(reason) = self.shortage(variant, &components, quantity)? {
            return Ok(Err(reason));
        }
        let mut allocations = Vec::new();
        for component in &components {
            let needed = component.required * quantity;
            allocations.extend(allocate_from(self.stocks(&component.item)?, &component.item, needed));
        }
        Ok(Ok(allocations))
    }

    fn stocks(&mut self, item: &str) -> Result<&mut Vec<Stock>, StoreError> {
        if !self.stocks.contains_key(item) {
            let stocks = self.locations.iter().map(|it| self.stock_at(item, it));
            let stocks = stocks.collect::<Result<_, StoreError>>()?;
            self.stocks.insert(item.to_owned(), stocks);
        }
        Ok(self.stocks.get_mut(item).expect("it was inserted"))
    }

    fn stock_at(&self, item: &str, location: &Location) -> Result<Stock, StoreError> {
        let level = level_at(self.view, item, &location.id)?;
        let available = match &level {
            Some(level) => level.available() - self.safety_stock(level, location)?,
            None => Decimal::ZERO,
        };
        Ok(Stock {
            location: location.id.clone(),
            // A deficit at one location does not reduce the stock of another.
            available: available.max(Decimal::ZERO),
            is_stocked: level.is_some(),
        })
    }

    /// The quantity of the item of this level that the channel does not sell from the location: its own if it
    /// has one, or else that of the location.
    pub(crate) fn safety_stock(
        &self,
        level: &InventoryLevel,
        location: &Location,
    ) -> Result<Decimal, StoreError> {
        let own = match &self.channel_id {
            Some(channel) if self.holds_back_items => {
                SALES_CHANNEL_INVENTORY_LEVEL.row(self.view, channel, &level.id)?
            }
            _ => None,
        };
        Ok(own.map_or(location.safety_stock, |row| safety_stock(&row)))
    }
}

/// The inventory items of a variant.
pub(crate) fn components(view: &dyn Read, variant_id: &str) -> Result<Vec<Component>, StoreError> {
    let rows = PRODUCT_VARIANT_INVENTORY_ITEM.rows_of(view, variant_id)?.into_iter();
    Ok(rows.map(|(item, row)| Component { item, required: required_quantity(&row) }).collect())
}

/// The whole pieces that these components make, when so much is available of each item.
pub(crate) fn whole_pieces(
    components: &[Component],
    mut available: impl FnMut(&str) -> Result<Decimal, StoreError>,
) -> Result<Decimal, StoreError> {
    let mut least: Option<Decimal> = None;
    for component in components {
        let pieces = available(&component.item)?.div_floor(component.required).unwrap_or_default();
        least = Some(least.map_or(pieces, |least| least.min(pieces)));
    }
    Ok(least.unwrap_or(Decimal::ZERO))
}

/// Allocates from the first location that has enough, or else from several in order. The rest is a backorder
/// at the first location that stocks the item.
fn allocate_from(stocks: &mut [Stock], item: &str, needed: Decimal) -> Vec<Allocation> {
    let mut allocations = Vec::new();
    let mut allocate = |stock: &mut Stock, quantity: Decimal, backordered: bool| {
        if !backordered {
            stock.available -= quantity;
        }
        allocations.push(Allocation {
            item: item.to_owned(),
            location: stock.location.clone(),
            quantity,
            backordered,
        });
    };
    if let Some(stock) = stocks.iter_mut().find(|stock| stock.available >= needed) {
        allocate(stock, needed, false);
        return allocations;
    }
    let mut missing = needed;
    for stock in stocks.iter_mut() {
        let quantity = stock.available.min(missing);
        if quantity > Decimal::ZERO {
            allocate(stock, quantity, false);
            missing -= quantity;
        }
    }
    if missing > Decimal::ZERO {
        let first = stocks.iter().position(|stock| stock.is_stocked).unwrap_or(0);
        allocate(&mut stocks[first], missing, true);
    }
    allocations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(available: &[i64], needed: i64, expect: &str) {
        let stock = |(n, it): (usize, &i64)| Stock {
            location: n.to_string(),
            available: Decimal::from(*it),
            is_stocked: true,
        };
        let mut stocks: Vec<Stock> = available.iter().enumerate().map(stock).collect();
        let allocations = allocate_from(&mut stocks, "item", needed.into());
        let print = |it: &Allocation| {
            format!("{}:{}{}", it.location, it.quantity, if it.backordered { "!" } else { "" })
        };
        assert_eq!(allocations.iter().map(print).collect::<Vec<_>>().join(" "), expect);
    }

    #[test]
    fn line_is_served_from_one_location_if_possible() {
        check(&[3, 5], 2, "0:2");
        check(&[3, 5], 4, "1:4");
        check(&[3, 3], 5, "0:3 1:2");
        check(&[0, 3], 5, "1:3 0:2!");
        check(&[0], 1, "0:1!");
    }
}
