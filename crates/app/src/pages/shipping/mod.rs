//! Shipping: what leaves a stock location, where to, and for how much. `list.rs` is the overview, `new.rs`
//! the one form of a new way of shipping, `zone.rs` the page of a service zone and `option.rs` that of a
//! shipping option; `places.rs`, `prices.rs` and `rules.rs` read and show what these consist of, `kinds.rs`
//! has profiles and types.

mod kinds;
mod list;
mod new;
mod option;
mod places;
mod prices;
mod rules;
mod zone;

use atoll_kernel::{Fault, part_of};
use atoll_pages::{Address, Button, Markup, PageCall, Records, html, link};
use serde::Deserialize;
use serde_json::{Value, json};

use self::{places::Place, prices::Price};
use super::named::Named;

part_of! { "fulfillment" }

/// A way in which a location hands over goods.
#[derive(Deserialize)]
struct Set {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    service_zones: Vec<Zone>,
}

/// A service zone.
#[derive(Deserialize)]
struct Zone {
    id: String,
    name: String,
    #[serde(default)]
    geo_zones: Vec<Place>,
    #[serde(default)]
    shipping_options: Vec<Offer>,
}

/// A shipping option, as lists have it.
#[derive(Deserialize)]
struct Offer {
    id: String,
    name: String,
    price_type: String,
    #[serde(default)]
    prices: Vec<Price>,
    #[serde(default)]
    rules: Vec<Rule>,
}

/// A rule of a shipping option.
#[derive(Deserialize)]
struct Rule {
    id: String,
    attribute: String,
    operator: String,
    value: Value,
}

/// The attributes of rules that these pages ask for: may buyers choose the option, and is it for returns?
const BY_BUYERS: &str = "enabled_in_store";
const FOR_RETURNS: &str = "is_return";

impl Set {
    /// What a list calls it.
    fn title(&self) -> &str {
        match self.kind.as_str() {
            "shipping" => "Shipped from here",
            "pickup" => "Collected here",
            other => other,
        }
    }
}

impl Offer {
    /// Does a rule say so?
    fn says(&self, attribute: &str, value: &str) -> bool {
        self.rules.iter().any(|it| it.attribute == attribute && it.value == value)
    }

    /// Its price, and whom it is for if not for all buyers.
    fn in_words(&self, call: &PageCall, regions: &[Named]) -> Markup {
        html! {
            @if self.price_type == "calculated" { "priced by the carrier" }
            @else { (prices::in_words(call, &self.prices, regions)) }
            @if self.says(BY_BUYERS, "false") { ", for ourselves alone" }
            @if self.says(FOR_RETURNS, "true") { ", for returns" }
        }
    }

    fn link(&self, call: &PageCall) -> Markup {
        link(call, Address::of("/shipping/options").then(&self.id), &self.name)
    }
}

/// The rules of these two answers.
fn answers(by_buyers: bool, for_returns: bool) -> [Value; 2] {
    [(BY_BUYERS, by_buyers), (FOR_RETURNS, for_returns)].map(
        |(attribute, is_so)| json!({ "attribute": attribute, "operator": "eq", "value": is_so.to_string() }),
    )
}

/// The page of a zone.
fn zone_page(set: &str, zone: &str) -> Address {
    Address::of("/shipping/sets").then(set).then("zones").then(zone)
}

/// The form of a new way of shipping, of which something is chosen already.
fn new_page() -> Address {
    Address::of("/shipping/new")
}

/// Parts of a record, by what they are called, each with the button that removes it: its action is
/// `remove-rule sorul_1`, say. `goes` is the question that it asks first.
fn removable(call: &PageCall, parts: impl IntoIterator<Item = (String, String)>, goes: &str) -> Markup {
    html! {
        ul class="check" {
            @for (action, called) in parts {
                li {
                    span { (called) }
                    (call.button(Button::danger(&action, "Remove", goes).of(&called)))
                }
            }
        }
    }
}

/// A country in which buyers can pay.
#[derive(Deserialize)]
struct Country {
    iso_2: String,
    display_name: String,
}

/// Regions of which the countries are read.
const REGIONS_MAX: usize = 100;

/// The countries of the regions, by name.
async fn countries(call: &PageCall) -> Result<Vec<Country>, Fault> {
    #[derive(Deserialize)]
    struct Region {
        #[serde(default)]
        countries: Vec<Country>,
    }
    let address = Address::of("/admin/regions")
        .with("fields", "id,countries.iso_2,countries.display_name")
        .with("limit", REGIONS_MAX);
    let regions: Records<Region> = call.api().list(address, "regions").await?;
    let mut countries: Vec<Country> = regions.records.into_iter().flat_map(|it| it.countries).collect();
    countries.sort_by(|one, other| one.display_name.cmp(&other.display_name));
    Ok(countries)
}

/// Makes a fulfilment set of a kind at a location. Returns its id.
pub(super) async fn make_set(call: &PageCall, location: &Named, kind: &str) -> Result<String, Fault> {
    let address = Address::of("/admin/stock-locations")
        .then(&location.id)
        .then("fulfillment-sets")
        .with("fields", "id,fulfillment_sets.id,fulfillment_sets.type");
    // Names of these are unique in the shop.
    let body = json!({ "name": format!("{} {kind}", location.name), "type": kind });
    #[derive(Deserialize)]
    struct Answer {
        stock_location: Made,
    }
    #[derive(Deserialize)]
    struct Made {
        fulfillment_sets: Vec<Set>,
    }
    let Answer { stock_location } = call.api().post(address, &body).await?;
    let made = stock_location.fulfillment_sets.into_iter().find(|it| it.kind == kind);
    made.map(|it| it.id).ok_or_else(|| Fault::unexpected("the location has no such set"))
}
