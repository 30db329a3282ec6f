//! Which shipping options a cart may have, and if not, why: the options that ship its goods to its address,
//! from the stock locations of its channel, by providers that ship from there.
//!
//! [`offers`] and [`explain_option`] ask the same conditions in the same order, so that the list of a
//! storefront, the choice of a buyer and the explanation for admins agree.

mod explain;
mod prices;

use std::{collections::BTreeSet, ops::ControlFlow};

use atoll_cart::{Cart, LineItem};
use atoll_checkout::{Address, ItemToShip, ShippingRequest};
use atoll_fulfillment::{
    BY_ZONE, ENABLED_IN_STORE, FULFILLMENT_SETS, IS_RETURN, RuleContext, SERVICE_ZONES, SHIPPING_OPTIONS,
    ServiceZone, ShippingOption, ShippingOptionRule, ShippingPriceType, ZONES_BY_SET, is_enabled,
};
use atoll_kernel::{Metadata, Read, StoreError};
use atoll_links::{STOCK_LOCATION_FULFILLMENT_PROVIDER, STOCK_LOCATION_FULFILLMENT_SET};
use atoll_product::{PRODUCTS, Product, VARIANTS};

use crate::{Seller, Shelf};

use prices::has_price;

pub use explain::explain_option;
pub use prices::{option_context, option_price, option_prices};

/// A cart, as far as it decides by which options it can be shipped.
#[derive(Clone, Debug)]
pub struct Shipment {
    /// The channel and the time of the sale.
    pub seller: Seller,
    /// Where to; an address that is not known yet may be anywhere.
    pub to: Option<Address>,
    /// What is shipped.
    pub goods: Goods,
    /// What the rules of options look at.
    pub context: RuleContext,
}

/// Goods, by what they need of a shipping option.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Goods {
    /// The shipping profiles of those that have one: an option of each is needed.
    pub profiles: BTreeSet<String>,
    /// Are there others, which any option ships?
    pub others: bool,
    /// Does one of them have to be shipped?
    pub need_shipping: bool,
}

/// A shipping option that a cart may have.
#[derive(Clone, Debug, PartialEq)]
pub struct ShippingOffer {
    /// The option.
    pub option: ShippingOption,
    /// Id of the fulfilment set.
    pub set: String,
    /// Id of the stock location from which it ships.
    pub location: String,
}

/// Why a shipping option is not offered to a cart. For admins, not for shoppers.
#[derive(Clone, Debug, PartialEq)]
pub enum NotOffered {
    /// The channel is disabled, or does not exist.
    NoChannel,
    /// The channel does not sell from the stock location of the option.
    NotOfChannel {
        /// Id of the stock location, if there is one.
        location: Option<String>,
    },
    /// The address lies outside of the service zone.
    OutsideZone,
    /// A rule does not hold.
    Rule(ShippingOptionRule),
    /// The provider does not ship from the location.
    NotFromLocation,
    /// Nothing in the cart is of the profile of the option.
    OtherGoods,
}

impl NotOffered {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            NotOffered::NoChannel => "sales_channel_disabled",
            NotOffered::NotOfChannel { .. } => "location_not_in_sales_channel",
            NotOffered::OutsideZone => "address_outside_service_zone",
            NotOffered::Rule(_) => "rule_does_not_hold",
            NotOffered::NotFromLocation => "provider_not_at_location",
            NotOffered::OtherGoods => "no_goods_of_shipping_profile",
        }
    }
}

impl Shipment {
    /// The shipment of a cart that this seller sells, or its return.
    pub fn of_cart(
        view: &dyn Read,
        seller: Seller,
        cart: &Cart,
        is_return: bool,
    ) -> Result<Shipment, StoreError> {
        Ok(Shipment {
            seller,
            to: cart.shipping_address.clone().map(Address::from),
            goods: Goods::of(view, &cart.items)?,
            context: context_of(is_return),
        })
    }

    /// The shipment of a cart by this offer, as its provider is told of it; `data` is the buyer's.
    pub fn request(&self, cart: &Cart, offered: &ShippingOffer, data: Metadata) -> ShippingRequest {
        let item = |line: &LineItem| ItemToShip {
            line_id: line.id.to_string(),
            variant_id: line.variant_id.clone(),
            sku: line.variant_sku.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        ShippingRequest {
            option_id: offered.option.id.to_string(),
            option_data: offered.option.data.clone(),
            data,
            location_id: offered.location.clone(),
            cart_id: cart.id.to_string(),
            currency_code: cart.currency_code.clone(),
            address: self.to.clone(),
            items: cart.items.iter().map(item).collect(),
        }
    }

    /// What speaks against an option of a zone that serves the address, at a location of the channel; the
    /// first reasons are the cheapest.
    fn against<'a>(
        &'a self,
        option: &'a ShippingOption,
        providers: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = NotOffered> + 'a {
        let rules = option.rules.iter().filter(|it| !it.holds(&self.context));
        let provider = (!providers.contains(&option.provider_id)).then_some(NotOffered::NotFromLocation);
        let goods = (!self.goods.are_shipped_by(option)).then_some(NotOffered::OtherGoods);
        rules.cloned().map(NotOffered::Rule).chain(provider).chain(goods)
    }
}

impl Goods {
    /// The goods of these lines, by the profiles that their products have now.
    pub fn of(view: &dyn Read, lines: &[LineItem]) -> Result<Goods, StoreError> {
        let mut goods = Goods::default();
        for line in lines {
            let product = match &line.product_id {
                Some(id) => PRODUCTS.get(view, id)?,
                None => None,
            };
            goods.add(line, product.as_ref());
        }
        Ok(goods)
    }

    /// Adds a line, by the shipping profile that its product has now.
    pub fn add(&mut self, line: &LineItem, product: Option<&Product>) {
        self.need_shipping |= line.requires_shipping;
        match product.and_then(|it| it.shipping_profile_id.clone()) {
            Some(profile) => {
                self.need_shipping = true;
                self.profiles.insert(profile);
            }
            None => self.others |= line.requires_shipping,
        }
    }

    /// Is there nothing to ship?
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty() && !self.others
    }

    /// Does this option ship some of them?
    pub fn are_shipped_by(&self, option: &ShippingOption) -> bool {
        self.others || self.profiles.contains(&*option.shipping_profile_id)
    }
}

/// The options that a shipment may have: by location in the order of the channel, then in the order in which
/// sets, zones and options were made.
pub fn offers(view: &dyn Read, shipment: &Shipment) -> Result<Vec<ShippingOffer>, StoreError> {
    let mut offers = Vec::new();
    // Without the module its records are not read.
    if shipment.goods.is_empty() || !SHIPPING_OPTIONS.is_on() {
        return Ok(offers);
    }
    let shelf = shipment.seller.shelf(view)?;
    if !is_open(&shipment.seller, &shelf) {
        return Ok(offers);
    }
    each_option(
        view,
        &shelf,
        |it| it.serves(shipment.to.as_ref()),
        |at, option| {
            if shipment.against(&option, at.providers).next().is_none() {
                offers.push(ShippingOffer {
                    option,
                    set: at.set.to_owned(),
                    location: at.location.to_owned(),
                });
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(offers)
}

/// Where a shipping option ships from.
struct Place<'a> {
    /// Id of the stock location.
    location: &'a str,
    /// Id of the fulfilment set.
    set: &'a str,
    /// The providers that ship from the location.
    providers: &'a BTreeSet<String>,
}

/// Visits the options of the zones that serve: by location in the order of the channel, then in the order in
/// which sets, zones and options were made.
fn each_option(
    view: &dyn Read,
    shelf: &Shelf<'_>,
    serves: impl Fn(&ServiceZone) -> bool,
    mut visit: impl FnMut(&Place<'_>, ShippingOption) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    for location in shelf.locations() {
        let sets = STOCK_LOCATION_FULFILLMENT_SET.rights(view, &location.id)?;
        if sets.is_empty() {
            continue;
        }
        let providers = &providers_at(view, &location.id)?;
        for set in &sets {
            let place = Place { location: &location.id, set, providers };
            for zone in SERVICE_ZONES.table.list_by(view, &ZONES_BY_SET, &[set])? {
                if !serves(&zone) {
                    continue;
                }
                for option in SHIPPING_OPTIONS.table.list_by(view, &BY_ZONE, &[&zone.id])? {
                    if visit(&place, option)?.is_break() {
                        return Ok(());
                    }
                }
            }
        }
    }
    Ok(())
}

/// The offer of one option; `Err` holds all reasons against it. `None` if there is no such option.
pub fn offer(
    view: &dyn Read,
    shipment: &Shipment,
    option: &str,
) -> Result<Option<Result<ShippingOffer, Vec<NotOffered>>>, StoreError> {
    let Some(option) = SHIPPING_OPTIONS.get(view, option)? else { return Ok(None) };
    let shelf = shipment.seller.shelf(view)?;
    let zone = SERVICE_ZONES.get(view, &option.service_zone_id)?;
    let set = match &zone {
        Some(zone) => FULFILLMENT_SETS.get(view, &zone.fulfillment_set_id)?,
        None => None,
    };
    let location = match &set {
        Some(set) => STOCK_LOCATION_FULFILLMENT_SET.lefts(view, &set.id)?.into_iter().next(),
        None => None,
    };
    let mut against = Vec::new();
    if !is_open(&shipment.seller, &shelf) {
        against.push(NotOffered::NoChannel);
    }
    let is_there = |id: &String| shelf.locations().iter().any(|it| it.id == *id);
    if !location.as_ref().is_some_and(is_there) {
        against.push(NotOffered::NotOfChannel { location: location.clone() });
    }
    if !zone.is_some_and(|it| it.serves(shipment.to.as_ref())) {
        against.push(NotOffered::OutsideZone);
    }
    let providers = match &location {
        Some(location) => providers_at(view, location)?,
        None => BTreeSet::new(),
    };
    against.extend(shipment.against(&option, &providers));
    Ok(Some(match (set, location) {
        (Some(set), Some(location)) if against.is_empty() => {
            Ok(ShippingOffer { option, set: set.id.to_string(), location })
        }
        _ => Err(against),
    }))
}

/// Does the seller of this shelf ship: is there a shipping option at one of its locations? One that has none
/// sells without shipping methods.
pub fn ships(view: &dyn Read, shelf: &Shelf<'_>) -> Result<bool, StoreError> {
    has_option(view, shelf, |_, _| Ok(true))
}

/// Can storefronts choose a shipping option of the seller of this shelf, whatever the goods and the address
/// are: one by a provider that ships from its location, that its rules offer to storefronts, and that has a
/// price?
pub fn can_ship(view: &dyn Read, shelf: &Shelf<'_>) -> Result<bool, StoreError> {
    let context = context_of(false);
    has_option(view, shelf, |at, option| {
        Ok(at.providers.contains(&option.provider_id)
            && option.rules.iter().all(|it| it.holds(&context))
            && (option.price_type == ShippingPriceType::Calculated || has_price(view, option)?))
    })
}

/// Is there such an option at a location of the shelf?
fn has_option(
    view: &dyn Read,
    shelf: &Shelf<'_>,
    is_such: impl Fn(&Place<'_>, &ShippingOption) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    let mut found = false;
    if SHIPPING_OPTIONS.is_on() {
        each_option(
            view,
            shelf,
            |_| true,
            |at, option| {
                found = is_such(at, &option)?;
                Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            },
        )?;
    }
    Ok(found)
}

/// What rules look at: is it a return? Storefronts are offered what `enabled_in_store` says.
fn context_of(is_return: bool) -> RuleContext {
    let context = [(IS_RETURN, is_return.to_string()), (ENABLED_IN_STORE, true.to_string())];
    context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Does the seller sell at all?
fn is_open(seller: &Seller, shelf: &Shelf<'_>) -> bool {
    seller.channel().is_none() || shelf.channel().is_some_and(|it| !it.is_disabled)
}

/// The providers that ship from a location.
fn providers_at(view: &dyn Read, location: &str) -> Result<BTreeSet<String>, StoreError> {
    let mut providers = BTreeSet::new();
    for provider in STOCK_LOCATION_FULFILLMENT_PROVIDER.rights(view, location)? {
        if is_enabled(view, &provider)? {
            providers.insert(provider);
        }
    }
    Ok(providers)
}

/// Can a location alone supply these lines?
pub fn has_stock_at(
    view: &dyn Read,
    shipment: &Shipment,
    lines: &[LineItem],
    location: &str,
) -> Result<bool, StoreError> {
    let mut shelf = shipment.seller.shelf(view)?.only_at(location);
    for line in lines {
        let variant = match &line.variant_id {
            Some(id) => VARIANTS.get(view, id)?,
            None => None,
        };
        if let Some(variant) = variant
            && shelf.allocate(&variant, line.quantity)?.is_err()
        {
            return Ok(false);
        }
    }
    Ok(true)
}
