//! Stock: the items that are counted, and how many of one are at each location.

use std::collections::BTreeMap;

use atoll_kernel::{Decimal, Fault, FaultKind};
use atoll_pages::{
    Address, Blank, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, facts,
    hint, html, link, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::named::{LOCATIONS, Named, NamedVariant, choices, options, options_or};

admin_page! {
    "/stock" as "Stock" in Catalogue 20 => list;
    "/stock/:item" => show, change;
}

/// Items on one page of the list.
const LIST_PAGE: usize = 25;

/// Reservations that the page of an item shows.
const RESERVATIONS_SHOWN_MAX: usize = 25;

#[derive(Deserialize)]
struct Item {
    id: String,
    title: Option<String>,
    sku: Option<String>,
    stocked_quantity: Decimal,
    reserved_quantity: Decimal,
    #[serde(default)]
    location_levels: Vec<Level>,
    #[serde(default)]
    variants: Vec<NamedVariant>,
}

#[derive(Deserialize)]
struct Level {
    location_id: String,
    stocked_quantity: Decimal,
    reserved_quantity: Decimal,
    incoming_quantity: Decimal,
    #[serde(default)]
    stock_locations: Vec<Location>,
    #[serde(default)]
    safety_stocks: Vec<SafetyStock>,
}

/// How many of an item a channel leaves at a location.
#[derive(Deserialize)]
struct SafetyStock {
    sales_channel_id: String,
    safety_stock: Decimal,
}

#[derive(Deserialize)]
struct Location {
    name: String,
    #[serde(default)]
    sales_channels: Vec<Named>,
}

#[derive(Deserialize)]
struct Reservation {
    id: String,
    location_id: String,
    quantity: Decimal,
    line_item_id: Option<String>,
    description: Option<String>,
}

const FIELDS: &str = "id,title,sku,stocked_quantity,reserved_quantity,location_levels.location_id,\
     location_levels.stocked_quantity,location_levels.reserved_quantity,location_levels.incoming_quantity,\
     location_levels.stock_locations.name,variants.id,variants.title,variants.sku,variants.product_id,\
     variants.product.title";

impl Item {
    /// What the variant is called of which it is: the only one, or among those of kits that with its SKU.
    /// Otherwise its own title.
    fn name(&self) -> String {
        let own = match self.variants.as_slice() {
            [one] => Some(one),
            all => all.iter().find(|it| it.sku.is_some() && it.sku == self.sku),
        };
        let title = || self.title.clone().or_else(|| self.sku.clone());
        own.map(NamedVariant::name).or_else(title).unwrap_or_else(|| "Untitled".to_owned())
    }
}

impl Level {
    fn name(&self) -> &str {
        self.stock_locations.first().map_or(&self.location_id, |it| &it.name)
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/inventory-items")
        .with("fields", FIELDS)
        .with("order", "sku")
        .with("q", call.query("q"))
        .with("location_levels[location_id]", call.query("location"))
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let items: Records<Item> = call.api().list(address, "inventory_items").await?;
    let locations = choices(&call, LOCATIONS, &[]).await?;
    let body = html! {
        (call.search("/stock", "Search", &[
            Field::line("search", "q", "SKU or title").value(call.query("q")),
            Field::choice("location", "Location", options_or("any", &locations)).value(call.query("location")),
        ]))
        @if items.records.is_empty() { (nothing("There is no such item.")) }
        @else {
            (table(
                &["Item", "SKU", "In stock", "Reserved", "At"],
                items.records.iter().map(|it| row(&call, it)),
            ))
        }
        (pager(&call, &items))
    };
    Ok(Page::new("Stock", body))
}

fn row(call: &PageCall, item: &Item) -> Vec<Markup> {
    let at = item.location_levels.iter();
    let at: Vec<String> = at.map(|it| format!("{}: {}", it.name(), it.stocked_quantity)).collect();
    vec![
        link(call, Address::of("/stock").then(&item.id), item.name()),
        html! { @if let Some(sku) = &item.sku { code { (sku) } } @else { "–" } },
        html! { (item.stocked_quantity) },
        html! { (item.reserved_quantity) },
        html! { @if at.is_empty() { "nowhere" } (at.join(", ")) },
    ]
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/inventory-items").then(call.path("item"))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let fields = format!(
        "{FIELDS},location_levels.stock_locations.sales_channels.id,\
         location_levels.stock_locations.sales_channels.name,location_levels.safety_stocks.sales_channel_id,\
         location_levels.safety_stocks.safety_stock"
    );
    let item: Item = call.api().one(route(&call).with("fields", fields), "inventory_item").await?;
    let locations = choices(&call, LOCATIONS, &[]).await?;
    let body = html! {
        (summary(&call, &item))
        (levels(&call, &item))
        (elsewhere(&call, &item, &locations))
        (transfer(&call, &item, &locations))
        (reservations(&call, &item).await?)
    };
    Ok(Page::new(item.name(), body).below("/stock", "Stock"))
}

fn summary(call: &PageCall, item: &Item) -> Markup {
    html! {
        section class="card" {
            (facts([
                ("SKU", html! { (item.sku.as_deref().unwrap_or("–")) }),
                ("In stock", html! { (item.stocked_quantity) }),
                ("Reserved", html! { (item.reserved_quantity) }),
                ("Part of", html! {
                    @if item.variants.is_empty() { "no variant" }
                    @for variant in &item.variants { (variant.link(call)) " " }
                }),
            ]))
        }
    }
}

/// A form per location: the quantities, and the channels that sell from there.
fn levels(call: &PageCall, item: &Item) -> Markup {
    let supply = |it: &Named| Address::of("/channels").then(&it.id).then("locations");
    html! {
        @if item.location_levels.is_empty() { (nothing("It is at no location: it cannot be sold.")) }
        @for level in &item.location_levels {
            @let channels = level.stock_locations.first().map(|it| &it.sales_channels[..]).unwrap_or_default();
            section class="card" {
                h2 { (link(call, Address::of("/locations").then(&level.location_id), level.name())) }
                p {
                    (level.reserved_quantity) " reserved. "
                    @if channels.is_empty() { "No channel sells from here." } @else { "Sold from here by " }
                    @for (index, channel) in channels.iter().enumerate() {
                        @if index > 0 { ", " }
                        (link(call, supply(channel), &channel.name))
                    }
                }
                (quantities(call, level))
                @if !channels.is_empty() { (held_back(call, level, channels)) }
            }
        }
    }
}

/// How many of the item each channel leaves at the location.
fn held_back(call: &PageCall, level: &Level, channels: &[Named]) -> Markup {
    let action = format!("hold {}", level.location_id);
    let own = |channel: &Named| {
        let own = level.safety_stocks.iter().find(|it| it.sales_channel_id == channel.id);
        own.map_or_else(String::new, |it| it.safety_stock.to_string())
    };
    let fields = |form: &Blank<'_>| {
        html! {
            div class="fields" {
                @for channel in channels {
                    @let name = format!("safety[{}]", channel.id);
                    (form.compared(&Field::number(&name, &channel.name).value(own(channel))))
                }
            }
            (hint("Empty: as many as the channel leaves there of each item."))
        }
    };
    let form = call.form_of(fields, &[Button::new(&action, "Save").of(level.name())]);
    call.fold("Stays here, by channel", &[&action], form)
}

fn quantities(call: &PageCall, level: &Level) -> Markup {
    let action = format!("set {}", level.location_id);
    let fields = [
        Field::number("stocked", "In stock").value(level.stocked_quantity.to_string()).required(),
        Field::number("incoming", "Expected").value(level.incoming_quantity.to_string()),
    ];
    let remove = format!("remove {}", level.location_id);
    let shown =
        |form: &Blank<'_>| html! { div class="fields" { @for it in &fields { (form.compared(it)) } } };
    html! {
        (call.form_of(
            shown,
            &[Button::new(&action, "Save").of(level.name())],
        ))
        @if level.stocked_quantity.is_zero() && level.reserved_quantity.is_zero() {
            (call.button(Button::new(&remove, "Remove from this location").of(level.name())))
        }
    }
}

/// The form that puts the item at another location.
fn elsewhere(call: &PageCall, item: &Item, locations: &[Named]) -> Markup {
    let is_free = |it: &&Named| !item.location_levels.iter().any(|level| level.location_id == it.id);
    let free: Vec<Named> = locations.iter().filter(is_free).cloned().collect();
    if free.is_empty() {
        return html! {};
    }
    let fields = [
        Field::choice("location", "Location", options(&free)),
        Field::number("stocked", "In stock").required(),
    ];
    html! { section class="card" { h2 { "Put it at another location" } (call.form("add", "Add", &fields)) } }
}

/// The form that moves a quantity between two locations, at once.
fn transfer(call: &PageCall, item: &Item, locations: &[Named]) -> Markup {
    let with_stock = item.location_levels.iter().filter(|it| !it.stocked_quantity.is_zero());
    let from: Vec<Named> =
        with_stock.map(|it| Named { id: it.location_id.clone(), name: it.name().to_owned() }).collect();
    if from.is_empty() || locations.len() < 2 {
        return html! {};
    }
    let other = locations.iter().find(|it| it.id != from[0].id).map_or("", |it| &it.id);
    let fields = [
        Field::choice("from", "From", options(&from)),
        Field::choice("to", "To", options(locations)).value(other),
        Field::number("quantity", "Quantity").required(),
    ];
    html! {
        section class="card" {
            h2 { "Transfer between locations" }
            (call.form_of(
                |form| html! { div class="fields" { (form.fields(&fields)) } },
                &[Button::new("transfer", "Transfer")],
            ))
            (hint("What is reserved at a location stays there."))
        }
    }
}

async fn reservations(call: &PageCall, item: &Item) -> Result<Markup, Fault> {
    let address = Address::of("/admin/reservations")
        .with("inventory_item_id", &item.id)
        .with("fields", "id,location_id,quantity,line_item_id,description")
        .with("order", "-created_at")
        .with("limit", RESERVATIONS_SHOWN_MAX)
        .with("offset", call.offset());
    let reservations: Records<Reservation> = call.api().list(address, "reservations").await?;
    let at = |id: &str| {
        let level = item.location_levels.iter().find(|it| it.location_id == id);
        level.map_or_else(|| id.to_owned(), |it| it.name().to_owned())
    };
    let orders = orders_of(call, &reservations.records).await?;
    let order_of = |it: &Reservation| {
        let line = it.line_item_id.as_deref()?;
        orders.iter().find(|order| order.items.iter().any(|it| it.id == line))
    };
    let rows = reservations.records.iter().map(|it| {
        let order = order_of(it);
        let called = order.map_or_else(|| "the reservation".to_owned(), |it| format!("order #{}", it.display_id));
        let question = match order {
            Some(_) => format!("Nothing is kept for {called} any more, and its goods can be sold to others. Release them?"),
            None => "What is released can be sold to others. Release it?".to_owned(),
        };
        vec![
            html! { (at(&it.location_id)) },
            html! { (it.quantity) },
            html! {
                @if let Some(order) = order { "For " (link(call, Address::of("/orders").then(&order.id), &called)) }
                @else if it.description.is_none() { "Held by hand" }
                @if let Some(text) = &it.description { " " (text) }
            },
            call.button(Button::danger(&format!("release {}", it.id), "Release", &question).of(&called)),
        ]
    });
    Ok(html! {
        section class="card" {
            h2 { "Reservations" }
            @if reservations.records.is_empty() { (nothing("None of it is reserved.")) }
            @else {
                (table(&["At", "Quantity", "Purpose", "Actions"], rows))
                (pager(call, &reservations))
            }
        }
    })
}

/// An order for which stock is reserved.
#[derive(Deserialize)]
struct Order {
    id: String,
    display_id: u64,
    items: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
}

/// The orders for whose lines these reservations are.
async fn orders_of(call: &PageCall, reservations: &[Reservation]) -> Result<Vec<Order>, Fault> {
    let lines = reservations.iter().filter_map(|it| it.line_item_id.as_deref());
    let all = Address::of("/admin/orders").with("fields", "id,display_id,items.id");
    let address = lines.clone().fold(all, |it, line| it.with("items[id][]", line));
    match lines.count() {
        0 => Ok(Vec::new()),
        n => Ok(call.api().list(address.with("limit", n), "orders").await?.records),
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let levels = route(&call).then("location-levels");
    let of_level = || levels.clone().then(form.of_id());
    let (address, body) = match form.action() {
        "set" => (of_level(), json!(changed(&call, &form).await?)),
        "add" => {
            let stocked = form.number("stocked")?;
            (levels, json!({ "location_id": form.text("location"), "stocked_quantity": stocked }))
        }
        "transfer" => (
            levels.then("transfer"),
            json!({
                "from_location_id": form.text("from"),
                "to_location_id": form.text("to"),
                "quantity": form.number("quantity")?,
            }),
        ),
        "hold" => return hold_back(&call, &form).await,
        "remove" => {
            call.api().delete(of_level()).await?;
            return Ok(saved(&call));
        }
        "release" => {
            call.api().delete(Address::of("/admin/reservations").then(form.of_id())).await?;
            return Ok(saved(&call));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().post::<Value>(address.with("fields", "id"), &body).await?;
    Ok(saved(&call))
}

/// The quantities at a location that were typed over. Errors: one of them is not what it was when the form
/// was shown, as goods were sold or came in meanwhile: what was typed counts them once more.
async fn changed(call: &PageCall, form: &Form) -> Result<BTreeMap<&'static str, Value>, Fault> {
    let item: Item = call.api().one(route(call).with("fields", FIELDS), "inventory_item").await?;
    let level = item.location_levels.iter().find(|it| it.location_id == form.of_id());
    let level = level.ok_or_else(|| Fault::not_found("It is not at this location any more"))?;
    let mut changed = BTreeMap::new();
    for (name, label, field, now) in [
        ("stocked", "In stock", "stocked_quantity", level.stocked_quantity),
        ("incoming", "Expected", "incoming_quantity", level.incoming_quantity),
    ] {
        let (was, typed) = (form.number(&format!("was[{name}]"))?, form.number(name)?);
        if typed == was {
            continue;
        }
        if was != json!(now) {
            let text =
                format!("{label}: it was {was} when this was shown, and is {now} now. Save again to set it");
            return Err(Fault::new(FaultKind::Conflict, text));
        }
        let is_none = typed.is_null() && name == "incoming";
        changed.insert(field, if is_none { json!(0) } else { typed });
    }
    Ok(changed)
}

/// Sets what channels leave at a location, of those channels whose field has changed.
async fn hold_back(call: &PageCall, form: &Form) -> Result<Next, Fault> {
    for (channel, safety_stock) in form.changed_numbers("safety")? {
        let terms = Address::of("/admin/sales-channels")
            .then(channel)
            .then("stock-locations")
            .then(form.of_id())
            .then("inventory-items")
            .then(call.path("item"));
        call.api().post::<Value>(terms, &json!({ "safety_stock": safety_stock })).await?;
    }
    Ok(saved(call))
}

fn saved(call: &PageCall) -> Next {
    Next::to(Address::of("/stock").then(call.path("item")), Done::Saved)
}
