//! How the demo ships, taxes and prices: shipping options, tax rates, price lists, a promotion, and a group
//! of customers, written by the flows of the admin API. Each part needs a module that a host may not have.

use std::{collections::HashMap, time::Duration};

use atoll_auth::{PasswordHash, register};
use atoll_catalogue::{Catalogue, CataloguePrice, CatalogueProduct, by_handle};
use atoll_customer::{CUSTOMER_GROUPS, CUSTOMERS, Customer, CustomerGroup};
use atoll_flows::{
    customer::{
        CREATE_CUSTOMER_ACCOUNT, CREATE_CUSTOMER_GROUPS, LINK_CUSTOMERS_TO_CUSTOMER_GROUP, NewAccount,
    },
    fulfillment::{
        CREATE_LOCATION_FULFILLMENT_SET, CREATE_SERVICE_ZONES, CREATE_SHIPPING_OPTION_TYPES,
        CREATE_SHIPPING_OPTIONS, LINK_PROVIDERS_TO_STOCK_LOCATION, NewFulfillmentSet, NewServiceZone,
        NewShippingOption, OptionPrice, TotalRule,
    },
    pricing::{
        CREATE_PRICE_LISTS, CREATE_PRICE_PREFERENCES, ListPriceInput, NewPriceList, UPDATE_PRICE_PREFERENCES,
    },
    product::{ProductChanges, UPDATE_PRODUCTS},
    promotion::CREATE_PROMOTIONS,
    sales_channel::LinkIds,
    tax::{CREATE_TAX_RATES, CREATE_TAX_REGIONS},
};
use atoll_fulfillment::{
    FulfillmentSet, GeoZoneInput, MANUAL, SERVICE_ZONES, SHIPPING_OPTIONS, SHIPPING_PROFILES,
    ShippingOptionType, ZONES_BY_SET,
};
use atoll_kernel::{
    Decimal, Fault, Read, StoreError,
    data::{Direction, Entity, Scan, Service},
    flow::Local,
};
use atoll_pricing::{
    CURRENCY_CODE, CUSTOMER_GROUPS as GROUPS_RULE, PRICE_LISTS, PRICE_PREFERENCES, PriceList,
    PriceListStatus, PriceListType, PricePreference, PricePreferencePatch, SALES_CHANNEL_ID,
};
use atoll_product::{BY_HANDLE, BY_SKU, PRODUCTS, ProductPatch, TYPE_BY_VALUE, TYPES, VARIANTS};
use atoll_promotion::{
    Allocation, ApplicationMethod, MethodType, NewPromotion, PROMOTIONS, Promotion, PromotionRule,
    PromotionStatus, RuleOperator, RuleValues, TargetType,
};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_stock_location::STOCK_LOCATIONS;
use atoll_tax::{NewTaxRate, NewTaxRegion, NewTaxRule, Reference, SYSTEM, TAX_REGIONS, TaxRate, TaxRegion};

/// The part that [`WHOLESALE_BUYER`] belongs to.
pub(super) const GROUP_PRICES: &str = "prices of a customer group";

/// The customer who is in the group of wholesale customers: e-mail address and password.
pub(super) const WHOLESALE_BUYER: (&str, &str) = ("orders@harbour-cafe.test", "atoll-demo");

/// How long the sale lasts, from when the demo is loaded.
const SALE: Duration = Duration::from_hours(14 * 24);

/// What the terms are made of.
pub(super) struct Given<'a> {
    /// The catalogue of the demo.
    pub(super) catalogue: &'a Catalogue,
    /// The password of [`WHOLESALE_BUYER`].
    pub(super) password: &'a PasswordHash,
}

/// A part of the terms.
struct Part {
    /// What it is, for people.
    what: &'static str,
    /// Are its modules switched on?
    is_on: fn() -> bool,
    /// Has the shop some already? Then nothing is added.
    is_there: fn(&dyn Read) -> Result<bool, StoreError>,
    write: fn(&mut Local<'_>, &Given<'_>) -> Result<(), Fault>,
}

const PARTS: [Part; 5] = [
    Part {
        what: "shipping",
        is_on: || SHIPPING_OPTIONS.is_on(),
        is_there: |tx| Ok(SHIPPING_OPTIONS.table.count(tx)? > 0),
        write: ship,
    },
    Part {
        what: "taxes",
        is_on: || TAX_REGIONS.is_on(),
        is_there: |tx| Ok(TAX_REGIONS.table.count(tx)? > 0),
        write: tax,
    },
    Part {
        what: "a sale",
        is_on: || PRICE_LISTS.is_on(),
        is_there: |tx| Ok(PRICE_LISTS.table.count(tx)? > 0),
        write: sell_cheaper,
    },
    Part {
        what: "a promotion",
        is_on: || PROMOTIONS.is_on(),
        is_there: |tx| Ok(PROMOTIONS.table.count(tx)? > 0),
        write: promote,
    },
    Part {
        what: GROUP_PRICES,
        is_on: || CUSTOMERS.is_on() && PRICE_LISTS.is_on(),
        is_there: |tx| Ok(CUSTOMER_GROUPS.table.count(tx)? > 0),
        write: sell_wholesale,
    },
];

/// Adds the parts that the shop has none of. Returns those for which the host has no modules.
pub(super) fn add_terms(flow: &mut Local<'_>, given: &Given<'_>) -> Result<Vec<&'static str>, Fault> {
    let (on, off): (Vec<Part>, Vec<Part>) = PARTS.into_iter().partition(|it| (it.is_on)());
    let there = on.iter().map(|it| (it.is_there)(flow.tx)).collect::<Result<Vec<_>, _>>()?;
    for (part, _) in on.iter().zip(there).filter(|(_, is_there)| !is_there) {
        (part.write)(flow, given)?;
    }
    Ok(off.iter().map(|it| it.what).collect())
}

/// A shipping option of the demo: the zone, the type, and prices in euros and dollars. From a total of the
/// items on it is free, if that is given.
struct Shipping {
    name: &'static str,
    zone: &'static str,
    r#type: &'static str,
    prices: [(&'static str, &'static str, Option<&'static str>); 2],
}

const STANDARD: [(&str, &str, Option<&str>); 2] = [("eur", "4.90", Some("75")), ("usd", "6.90", Some("90"))];
const EXPRESS: [(&str, &str, Option<&str>); 2] = [("eur", "12.90", None), ("usd", "16.90", None)];

/// A fulfilment set of a location, by its handle.
struct Set {
    location: &'static str,
    name: &'static str,
    kind: &'static str,
    zones: &'static [Zone],
}

/// A service zone, and the countries in it.
struct Zone {
    name: &'static str,
    countries: &'static [&'static str],
}

const SETS: [Set; 3] = [
    Set {
        location: "lagoon-warehouse",
        name: "Lagoon shipping",
        kind: "shipping",
        zones: &[
            Zone { name: "Europe", countries: &["de", "fr", "it"] },
            Zone { name: "North America", countries: &["us"] },
        ],
    },
    Set {
        location: "reef-store",
        name: "Reef pick-up",
        kind: "pickup",
        zones: &[Zone { name: "Reef Store", countries: &["de", "fr", "it"] }],
    },
    Set {
        location: "mainland-depot",
        name: "Mainland freight",
        kind: "shipping",
        zones: &[Zone { name: "Mainland", countries: &["us"] }],
    },
];

const SHIPPINGS: [Shipping; 6] = [
    Shipping { name: "Standard", zone: "Europe", r#type: "standard", prices: STANDARD },
    Shipping { name: "Express", zone: "Europe", r#type: "express", prices: EXPRESS },
    Shipping { name: "Standard", zone: "North America", r#type: "standard", prices: STANDARD },
    Shipping { name: "Express", zone: "North America", r#type: "express", prices: EXPRESS },
    Shipping {
        name: "Pick up at the Reef Store",
        zone: "Reef Store",
        r#type: "pickup",
        prices: [("eur", "0", None), ("usd", "0", None)],
    },
    Shipping {
        name: "Freight",
        zone: "Mainland",
        r#type: "freight",
        prices: [("eur", "55.00", Some("1000")), ("usd", "59.00", Some("1000"))],
    },
];

const TYPES_OF_SHIPPING: [(&str, &str, &str); 4] = [
    ("standard", "Standard", "Two to four days."),
    ("express", "Express", "On the next working day."),
    ("pickup", "Pick-up", "Collect it yourself."),
    ("freight", "Freight", "On pallets, within ten days."),
];

/// Products that are not shipped.
const SENT_BY_MAIL: &str = "gift-card";

fn ship(flow: &mut Local<'_>, given: &Given<'_>) -> Result<(), Fault> {
    let catalogue = given.catalogue;
    let profile = first(flow.tx, &SHIPPING_PROFILES)?;
    for product in catalogue.products.iter().filter(|it| it.handle != SENT_BY_MAIL) {
        let Some(id) = PRODUCTS.table.id_by(flow.tx, &BY_HANDLE, &[&product.handle])? else {
            continue;
        };
        let patch = ProductPatch { shipping_profile_id: Some(profile.clone()), ..ProductPatch::default() };
        flow.run(&UPDATE_PRODUCTS, (id, ProductChanges { patch, sales_channels: None }))?;
    }
    let mut zones = HashMap::new();
    let locations = by_handle(flow.tx, &STOCK_LOCATIONS, |it| &it.metadata)?;
    for Set { location, name, kind, zones: of_set } in SETS {
        let Some(location_id) = locations.get(location).map(|it| it.id.to_string()) else { continue };
        let add = vec![MANUAL.to_owned()];
        let providers = LinkIds { id: location_id.clone(), add, ..LinkIds::default() };
        flow.run(&LINK_PROVIDERS_TO_STOCK_LOCATION, providers)?;
        let set = FulfillmentSet { name: name.into(), r#type: kind.into(), ..FulfillmentSet::default() };
        let set = flow.run(&CREATE_LOCATION_FULFILLMENT_SET, NewFulfillmentSet { location_id, set })?;
        for Zone { name, countries } in of_set {
            let geo_zone =
                |code: &&str| GeoZoneInput { country_code: (*code).into(), ..GeoZoneInput::default() };
            flow.run(
                &CREATE_SERVICE_ZONES,
                NewServiceZone {
                    fulfillment_set_id: set.id.to_string(),
                    name: (*name).into(),
                    geo_zones: countries.iter().map(geo_zone).collect(),
                    ..NewServiceZone::default()
                },
            )?;
        }
        for zone in SERVICE_ZONES.table.list_by(flow.tx, &ZONES_BY_SET, &[&set.id])? {
            zones.insert(zone.name.clone(), zone.id.to_string());
        }
    }
    let types = TYPES_OF_SHIPPING.map(|(code, label, description)| ShippingOptionType {
        code: code.into(),
        label: label.into(),
        description: Some(description.into()),
        ..ShippingOptionType::default()
    });
    let types = flow.run(&CREATE_SHIPPING_OPTION_TYPES, types.into())?;
    for shipping in SHIPPINGS {
        let Some(zone) = zones.get(shipping.zone).cloned() else { continue };
        let r#type = types.iter().find(|it| it.code == shipping.r#type);
        flow.run(
            &CREATE_SHIPPING_OPTIONS,
            NewShippingOption {
                name: shipping.name.into(),
                service_zone_id: zone,
                shipping_profile_id: profile.clone().unwrap_or_default(),
                provider_id: MANUAL.into(),
                type_id: r#type.map(|it| it.id.to_string()),
                prices: shipping.prices()?,
                ..NewShippingOption::default()
            },
        )?;
    }
    Ok(())
}

impl Shipping {
    fn prices(&self) -> Result<Vec<OptionPrice>, Fault> {
        let mut prices = Vec::new();
        for (currency, amount, free_from) in self.prices {
            let price = |amount, rules| OptionPrice {
                currency_code: Some(currency.into()),
                amount: Some(amount),
                rules,
                ..OptionPrice::default()
            };
            prices.push(price(decimal(amount)?, None));
            if let Some(total) = free_from {
                let rule = TotalRule { operator: atoll_pricing::RuleOperator::Gte, value: decimal(total)? };
                prices.push(price(Decimal::ZERO, Some(vec![rule])));
            }
        }
        Ok(prices)
    }
}

/// Germany, whose prices, in euros, include the tax; coffee is taxed less. The United States: tax is added.
fn tax(flow: &mut Local<'_>, _: &Given<'_>) -> Result<(), Fault> {
    let region = |country: &str, rate: &str, code: &str, name: &str| {
        let default_rate = TaxRate {
            rate: Some(decimal(rate)?),
            code: code.into(),
            name: name.into(),
            ..TaxRate::default()
        };
        let region = TaxRegion {
            country_code: country.into(),
            provider_id: Some(SYSTEM.into()),
            ..TaxRegion::default()
        };
        Ok::<_, Fault>(NewTaxRegion { region, default_rate: Some(default_rate) })
    };
    let regions = vec![region("de", "19", "de19", "VAT")?, region("us", "6.25", "us625", "Sales tax")?];
    let regions = flow.run(&CREATE_TAX_REGIONS, regions)?;
    if let Some(coffee) = TYPES.table.id_by(flow.tx, &TYPE_BY_VALUE, &["Coffee"])? {
        let rate = TaxRate {
            rate: Some(decimal("7")?),
            code: "de7".into(),
            name: "Reduced VAT".into(),
            tax_region_id: regions[0].id.to_string(),
            ..TaxRate::default()
        };
        let rules = vec![NewTaxRule { reference: Reference::ProductType, reference_id: coffee }];
        flow.run(&CREATE_TAX_RATES, vec![NewTaxRate { rate, rules }])?;
    }
    include_tax(flow, "eur")
}

/// Prices in this currency include the tax.
fn include_tax(flow: &mut Local<'_>, currency: &str) -> Result<(), Fault> {
    let mut there = None;
    PRICE_PREFERENCES.table.scan(flow.tx, None, Direction::Ascending, &mut |it| {
        let is_it = it.attribute == CURRENCY_CODE && it.value.as_deref() == Some(currency);
        there = is_it.then_some(it.id);
        Ok(if is_it { Scan::Break(()) } else { Scan::Continue(()) })
    })?;
    match there {
        Some(id) => {
            let patch =
                PricePreferencePatch { is_tax_inclusive: Some(true), ..PricePreferencePatch::default() };
            flow.run(&UPDATE_PRICE_PREFERENCES, (id.to_string(), patch))?;
        }
        None => {
            let preference = PricePreference {
                attribute: CURRENCY_CODE.into(),
                value: Some(currency.into()),
                is_tax_inclusive: true,
                ..PricePreference::default()
            };
            flow.run(&CREATE_PRICE_PREFERENCES, vec![preference])?;
        }
    }
    Ok(())
}

/// A sale of the collection for the rainy season, everywhere: a fifth off, until it ends.
fn sell_cheaper(flow: &mut Local<'_>, given: &Given<'_>) -> Result<(), Fault> {
    let catalogue = given.catalogue;
    let in_sale = |it: &CatalogueProduct| it.collections.iter().any(|it| it == "rainy-season");
    let prices = list_prices(flow.tx, catalogue, in_sale, &[(None, "0.8")], |_| true)?;
    let list = PriceList {
        title: "Rainy season sale".into(),
        description: "A fifth off what keeps you dry.".into(),
        status: PriceListStatus::Active,
        r#type: PriceListType::Sale,
        ends_at: Some(flow.at.now().plus(SALE)),
        ..PriceList::default()
    };
    flow.run(&CREATE_PRICE_LISTS, vec![NewPriceList { list, prices }])?;
    Ok(())
}

/// `APP10`: ten per cent off, in the app.
fn promote(flow: &mut Local<'_>, _: &Given<'_>) -> Result<(), Fault> {
    let Some(app) = channel(flow.tx, "mobile-app")? else { return Ok(()) };
    let of_app = PromotionRule {
        description: Some("Only in the app".into()),
        attribute: SALES_CHANNEL_ID.into(),
        operator: RuleOperator::In,
        values: RuleValues(vec![app]),
        ..PromotionRule::default()
    };
    let method = ApplicationMethod {
        value: decimal("10")?,
        r#type: MethodType::Percentage,
        target_type: TargetType::Items,
        allocation: Some(Allocation::Across),
        ..ApplicationMethod::default()
    };
    let promotion = Promotion {
        code: "APP10".into(),
        status: PromotionStatus::Active,
        application_method: Some(method),
        rules: vec![of_app],
        ..Promotion::default()
    };
    flow.run(&CREATE_PROMOTIONS, vec![NewPromotion { promotion, campaign: None }])?;
    Ok(())
}

/// A group whose members pay a tenth less for coffee and filters in the portal, and a fifth less from ten on.
fn sell_wholesale(flow: &mut Local<'_>, given: &Given<'_>) -> Result<(), Fault> {
    let Given { catalogue, password } = given;
    let Some(portal) = channel(flow.tx, "b2b-portal")? else { return Ok(()) };
    let group = CustomerGroup { name: "Wholesale".into(), ..CustomerGroup::default() };
    let group = flow.run(&CREATE_CUSTOMER_GROUPS, vec![group])?.remove(0).id.to_string();
    let email = WHOLESALE_BUYER.0;
    let identity = flow.step("register", |tx, at| Ok(register(tx, at, email, password)?))?;
    let company_name = Some("Harbour Café".into());
    let customer = Customer { company_name, email: email.into(), ..Customer::default() };
    let account = NewAccount { identity: identity.id.to_string(), customer };
    let add = vec![flow.run(&CREATE_CUSTOMER_ACCOUNT, account)?.id.to_string()];
    flow.run(&LINK_CUSTOMERS_TO_CUSTOMER_GROUP, LinkIds { id: group.clone(), add, ..LinkIds::default() })?;
    let is_wholesale = |it: &CatalogueProduct| {
        it.listings.iter().any(|it| it.channel == "b2b-portal")
            && matches!(it.r#type.as_deref(), Some("Coffee" | "Filter"))
    };
    let tiers = [(None, "0.9"), (Some("10"), "0.8")];
    let prices = list_prices(flow.tx, catalogue, is_wholesale, &tiers, |it| it.currency_code == "usd")?;
    let list = PriceList {
        title: "Wholesale coffee".into(),
        description: "For cafés, in the portal.".into(),
        status: PriceListStatus::Active,
        r#type: PriceListType::Override,
        rules: [(SALES_CHANNEL_ID.to_owned(), vec![portal]), (GROUPS_RULE.to_owned(), vec![group])].into(),
        ..PriceList::default()
    };
    flow.run(&CREATE_PRICE_LISTS, vec![NewPriceList { list, prices }])?;
    Ok(())
}

/// Prices of the variants of these products: those of the catalogue, times a factor from a quantity on.
fn list_prices(
    tx: &dyn Read,
    catalogue: &Catalogue,
    products: impl Fn(&CatalogueProduct) -> bool,
    tiers: &[(Option<&str>, &str)],
    in_prices: impl Fn(&CataloguePrice) -> bool,
) -> Result<Vec<ListPriceInput>, Fault> {
    let mut prices = Vec::new();
    for variant in catalogue.products.iter().filter(|it| products(it)).flat_map(|it| &it.variants) {
        let sku = variant.sku.as_deref().unwrap_or_default();
        let Some(variant_id) = VARIANTS.table.id_by(tx, &BY_SKU, &[sku])? else { continue };
        for price in variant.prices.iter().filter(|it| in_prices(it)) {
            for (from, factor) in tiers {
                prices.push(ListPriceInput {
                    variant_id: variant_id.clone(),
                    currency_code: price.currency_code.clone(),
                    amount: decimal(&price.amount)? * decimal(factor)?,
                    min_quantity: from.map(decimal).transpose()?,
                    ..ListPriceInput::default()
                });
            }
        }
    }
    Ok(prices)
}

fn decimal(text: &str) -> Result<Decimal, Fault> {
    text.parse().map_err(Fault::unexpected)
}

/// The id of the first record.
fn first<T: Entity>(tx: &dyn Read, service: &Service<T>) -> Result<Option<String>, StoreError> {
    let mut first = None;
    service.table.scan(tx, None, Direction::Ascending, &mut |record| {
        first = Some(record.id().to_string());
        Ok(Scan::Break(()))
    })?;
    Ok(first)
}

/// The id of the channel with this handle.
fn channel(tx: &dyn Read, handle: &str) -> Result<Option<String>, StoreError> {
    Ok(by_handle(tx, &SALES_CHANNELS, |it| &it.metadata)?.remove(handle).map(|it| it.id.to_string()))
}
