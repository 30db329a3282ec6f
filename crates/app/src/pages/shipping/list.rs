//! What is shipped: each stock location with its zones and their options, and the countries that nothing
//! ships to.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Markup, Page, PageCall, Records, admin_page, hint, html, link, nothing, pager, table,
};
use serde::Deserialize;

use super::{Offer, Set, Zone, new_page, places, zone_page};
use crate::pages::named::{Named, REGIONS, named};

admin_page! {
    "/shipping" as "Shipping" in Settings 40 => show;
}

/// Locations on one page.
const LIST_PAGE: usize = 10;

/// Zones of a set that are shown where the locations are listed, and on the page of one location.
const ZONES_SHOWN: (usize, usize) = (8, 60);

/// Options of a zone that are shown; its page has all of them.
const OPTIONS_SHOWN: usize = 5;

/// How many countries the warning names.
const UNSERVED_SHOWN: usize = 12;

#[derive(Deserialize)]
struct Location {
    id: String,
    name: String,
    #[serde(default)]
    sales_channels: Vec<Named>,
    #[serde(default)]
    fulfillment_sets: Vec<Set>,
}

const FIELDS: &str = "id,name,sales_channels.id,sales_channels.name,fulfillment_sets.id,\
     fulfillment_sets.type,fulfillment_sets.service_zones.id,fulfillment_sets.service_zones.name,\
     fulfillment_sets.service_zones.geo_zones.*,fulfillment_sets.service_zones.shipping_options.id,\
     fulfillment_sets.service_zones.shipping_options.name,\
     fulfillment_sets.service_zones.shipping_options.price_type,\
     fulfillment_sets.service_zones.shipping_options.rules.*,\
     fulfillment_sets.service_zones.shipping_options.prices";

async fn show(call: PageCall) -> Result<Page, Fault> {
    let only = call.query("location");
    let address = Address::of("/admin/stock-locations")
        .with("fields", FIELDS)
        .with("order", "name")
        .with("id", only)
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let locations: Records<Location> = call.api().list(address, "stock_locations").await?;
    let regions = named(&call, REGIONS).await?;
    let is_all = only.is_empty() && locations.count == locations.records.len();
    let unserved = if is_all { unserved(&call, &locations.records).await? } else { Vec::new() };
    let n_zones = if only.is_empty() { ZONES_SHOWN.0 } else { ZONES_SHOWN.1 };
    let body = html! {
        div class="buttons" {
            @if !locations.records.is_empty() {
                a class="button" href=(call.to(new_page().with("location", only))) { "New way of shipping" }
            }
            a class="button quiet" href=(call.to("/shipping/profiles")) { "Profiles" }
            a class="button quiet" href=(call.to("/shipping/types")) { "Types" }
            @if !only.is_empty() { (link(&call, "/shipping", "All locations")) }
        }
        @if !unserved.is_empty() { p class="notice warn" { (warning(&unserved)) } }
        @if locations.records.is_empty() {
            (nothing("Goods are shipped from a stock location, and there is none yet."))
            p { (link(&call, "/locations/new", "New stock location")) }
        }
        @for it in &locations.records { (card(&call, it, &regions, n_zones)) }
        (pager(&call, &locations))
    };
    Ok(Page::new("Shipping", body))
}

fn warning(unserved: &[String]) -> String {
    let named = unserved.iter().take(UNSERVED_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match unserved.len().saturating_sub(UNSERVED_SHOWN) {
        0 => format!("Buyers can pay there, but nothing ships to: {named}."),
        n => format!("Buyers can pay there, but nothing ships to: {named} and {n} more."),
    }
}

/// The countries of the regions to which no option ships: none of its provinces either.
async fn unserved(call: &PageCall, locations: &[Location]) -> Result<Vec<String>, Fault> {
    let zones = locations.iter().flat_map(|it| &it.fulfillment_sets).flat_map(|it| &it.service_zones);
    let zones = zones.filter(|it| !it.shipping_options.is_empty());
    let served: Vec<&str> = zones.flat_map(|it| &it.geo_zones).map(|it| it.country_code()).collect();
    let mut countries = super::countries(call).await?;
    countries.retain(|it| !served.contains(&&*it.iso_2));
    Ok(countries.into_iter().map(|it| it.display_name).collect())
}

fn card(call: &PageCall, location: &Location, regions: &[Named], n_zones: usize) -> Markup {
    let new = new_page().with("location", &location.id);
    html! {
        section class="card" {
            h2 { (link(call, Address::of("/locations").then(&location.id), &location.name)) }
            @if call.has("/channels") { (buyers(call, location)) }
            @for set in &location.fulfillment_sets { (of_set(call, set, regions, n_zones)) }
            @if location.fulfillment_sets.is_empty() { p { "Nothing is shipped from here." } }
            p { (link(call, new, "New way of shipping from here")) }
            @if location.fulfillment_sets.iter().any(|it| it.service_zones.len() > n_zones) {
                p { (link(call, Address::of("/shipping").with("location", &location.id), "All zones")) }
            }
        }
    }
}

/// The channels to whose buyers it ships.
fn buyers(call: &PageCall, location: &Location) -> Markup {
    let channels: Vec<&str> = location.sales_channels.iter().map(|it| &*it.name).collect();
    if !channels.is_empty() {
        return hint(format!("For buyers of {}.", channels.join(", ")));
    }
    let at = Address::of("/locations").then(&location.id);
    html! { p { "No channel sells from here, so nothing of it is offered. " (link(call, at, "Choose channels")) } }
}

fn of_set(call: &PageCall, set: &Set, regions: &[Named], n_zones: usize) -> Markup {
    let rows = set.service_zones.iter().take(n_zones).map(|zone| row(call, set, zone, regions));
    html! {
        h3 { (set.title()) }
        @if set.service_zones.is_empty() { p { "Nowhere yet." } }
        @else { (table(&["Zone", "Where to", "Options"], rows)) }
    }
}

fn row(call: &PageCall, set: &Set, zone: &Zone, regions: &[Named]) -> Vec<Markup> {
    let page = zone_page(&set.id, &zone.id);
    let n_more = zone.shipping_options.len().saturating_sub(OPTIONS_SHOWN);
    let option = |it: &Offer| html! { li { (it.link(call)) ": " (it.in_words(call, regions)) } };
    vec![
        link(call, page.clone(), &zone.name),
        html! { (places::shown(&zone.geo_zones)) },
        html! {
            @if zone.shipping_options.is_empty() { "No option: nothing ships there." }
            ul class="plain" { @for it in zone.shipping_options.iter().take(OPTIONS_SHOWN) { (option(it)) } }
            @if n_more > 0 { (link(call, page, format!("{n_more} more"))) }
        },
    ]
}
