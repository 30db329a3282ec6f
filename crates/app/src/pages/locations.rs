//! Stock locations: the list, a new one, and the page of one with the channels that sell from there and what
//! ships from there.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, html, link,
    nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    named::{CHANNELS, Named, choices, options, provider_name},
    postal::Postal,
    shipping::make_set,
};
use crate::pages::deletion::deletion;

admin_page! {
    "/locations" as "Stock locations" in Settings 30 => list;
    "/locations/new" => ask_new, create;
    "/locations/:id" => show, change;
}

/// Locations on one page of the list.
const LIST_PAGE: usize = 25;

/// Fulfilment providers that a form offers.
const PROVIDERS_MAX: usize = 50;

#[derive(Deserialize)]
struct Location {
    id: String,
    name: String,
    address: Option<Postal>,
    #[serde(default)]
    sales_channels: Vec<Named>,
}

const FIELDS: &str = "id,name,address.address_1,address.address_2,address.postal_code,address.city,\
     address.province,address.country_code,address.phone,sales_channels.id,sales_channels.name";

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/stock-locations")
        .with("fields", FIELDS)
        .with("order", "name")
        .with("q", call.query("q"))
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let locations: Records<Location> = call.api().list(address, "stock_locations").await?;
    let row = |it: &Location| {
        let names: Vec<&str> = it.sales_channels.iter().map(|it| it.name.as_str()).collect();
        vec![
            link(&call, Address::of("/locations").then(&it.id), &it.name),
            html! { (it.address.as_ref().and_then(|it| it.city.as_deref()).unwrap_or("–")) },
            html! { @if names.is_empty() { "none" } (names.join(", ")) },
            link(&call, Address::of("/stock").with("location", &it.id), "Stock"),
        ]
    };
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/locations/new")) { "New location" } }
        @if locations.records.is_empty() { (nothing("There is no stock location yet.")) }
        @else {
            (table(
                &["Location", "City", "Channels that sell from there", "Items"],
                locations.records.iter().map(row),
            ))
        }
        (pager(&call, &locations))
    };
    Ok(Page::new("Stock locations", body))
}

/// The form of a location, new or known.
fn name_and_address(call: &PageCall, location: Option<&Location>, button: Button<'_>) -> Markup {
    let name = Field::text("name", "Name").value(location.map_or("", |it| &it.name)).required();
    let none = Postal::default();
    let postal = location.and_then(|it| it.address.as_ref()).unwrap_or(&none);
    call.form_of(|form| html! { (form.field(&name)) (postal.fields(form, Postal::OF_PLACE)) }, &[button])
}

/// What was typed, as bodies have it. An address of which nothing is left is none.
fn typed(form: &Form) -> Result<Value, Fault> {
    let address = Postal::typed(form, Postal::OF_PLACE);
    let is_none = address.values().all(Value::is_null);
    if !is_none && (address["address_1"].is_null() || address["country_code"].is_null()) {
        return Err(Fault::invalid("An address has a street and a country"));
    }
    let address = if is_none { Value::Null } else { address.into() };
    Ok(json!({ "name": form.text("name"), "address": address }))
}

async fn ask_new(call: PageCall) -> Result<Page, Fault> {
    let form = name_and_address(&call, None, Button::new("create", "Create"));
    let body = html! { section class="card" { (form) } };
    Ok(Page::new("New stock location", body).below("/locations", "Stock locations"))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let answer: Value = call.api().post("/admin/stock-locations", &typed(&form)?).await?;
    let id = answer["stock_location"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/locations").then(id), Done::Created))
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/stock-locations").then(call.path("id"))
}

async fn location(call: &PageCall) -> Result<Location, Fault> {
    call.api().one(route(call).with("fields", FIELDS), "stock_location").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let location = location(&call).await?;
    let body = html! {
        @if call.has("/channels") { (channels(&call, &location).await?) }
        (shipping(&call).await)
        section class="card" {
            h2 { "Name and address" }
            (name_and_address(&call, Some(&location), Button::new("save", "Save")))
        }
        @let known = html! {
            p { "Channels sell nothing from here any more. A location with stock or reservations is not deleted." }
            p { (link(&call, Address::of("/stock").with("location", &location.id), "What is in stock here")) }
        };
        (deletion(&call, &known, "Delete location", "Delete the location?"))
    };
    Ok(Page::new(location.name, body).below("/locations", "Stock locations"))
}

/// The channels that sell from here.
async fn channels(call: &PageCall, location: &Location) -> Result<Markup, Fault> {
    let of = &location.sales_channels;
    let all = choices(call, CHANNELS, of).await?;
    let sold = of.iter().map(|it| it.id.as_str());
    let boxes = [Field::boxes("channels", "Sold from here by", options(&all), sold)];
    let supply = |it: &Named| Address::of("/channels").then(&it.id).then("locations");
    Ok(html! {
        section class="card" {
            h2 { "Channels" }
            (call.form("channels", "Save channels", &boxes))
            @if !of.is_empty() {
                h3 { "In which order, and what stays in stock" }
                ul { @for it in of { li { (link(call, supply(it), &it.name)) } } }
            }
        }
    })
}

#[derive(Deserialize)]
struct Shipping {
    #[serde(default)]
    fulfillment_sets: Vec<Set>,
    #[serde(default)]
    fulfillment_providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Set {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Provider {
    id: String,
}

async fn shipping_of(call: &PageCall) -> Result<Shipping, Fault> {
    let fields =
        "id,fulfillment_sets.id,fulfillment_sets.name,fulfillment_sets.type,fulfillment_providers.id";
    call.api().one(route(call).with("fields", fields), "stock_location").await
}

/// How goods leave; nothing where the shop runs without the module of shipping.
async fn shipping(call: &PageCall) -> Markup {
    let Ok(shipping) = shipping_of(call).await else { return html! {} };
    let address = Address::of("/admin/fulfillment-providers").with("limit", PROVIDERS_MAX);
    let Ok(providers) = call.api().list::<Provider>(address, "fulfillment_providers").await else {
        return html! {};
    };
    let all = providers.records.iter().map(|it| (it.id.clone(), provider_name(&it.id)));
    let on = shipping.fulfillment_providers.iter().map(|it| it.id.as_str());
    let boxes = [Field::boxes("providers", "Providers that ship from here", all, on)];
    let goes = "Its zones and shipping options go with it. Switch it off?";
    let has = |kind: &str| shipping.fulfillment_sets.iter().any(|it| it.kind == kind);
    html! {
        section class="card" {
            h2 { "Shipping and pickup" }
            ul {
                @for set in &shipping.fulfillment_sets {
                    li {
                        (set.name) " "
                        (call.button(Button::danger(&format!("unset {}", set.id), "Switch off", goes).of(&set.name)))
                    }
                }
            }
            div class="buttons" {
                @if !has("shipping") { (call.button(Button::new("set shipping", "Ship from here"))) }
                @if !has("pickup") { (call.button(Button::new("set pickup", "Let buyers collect here"))) }
            }
            (call.form("providers", "Save providers", &boxes))
            p { (link(call, Address::of("/shipping").with("location", call.path("id")), "Where to, and for how much")) }
        }
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let (address, body) = match form.action() {
        "save" => (route(&call), typed(&form)?),
        "channels" => (route(&call).then("sales-channels"), json!(form.change("channels"))),
        "providers" => (route(&call).then("fulfillment-providers"), json!(form.change("providers"))),
        "set" => {
            let Location { id, name, .. } = location(&call).await?;
            make_set(&call, &Named { id, name }, form.of_id()).await?;
            return Ok(saved(&call));
        }
        "unset" => {
            call.api().delete(Address::of("/admin/fulfillment-sets").then(form.of_id())).await?;
            return Ok(saved(&call));
        }
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/locations", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().post::<Value>(address, &body).await?;
    Ok(saved(&call))
}

fn saved(call: &PageCall) -> Next {
    Next::to(Address::of("/locations").then(call.path("id")), Done::Saved)
}
