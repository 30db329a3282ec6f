//! Sales channels: the board, and the page of one.

use std::{collections::HashMap, slice};

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, PageOf, Records, admin_page, badge,
    facts, hint, html, link, moment, nothing, pager, widgets,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{decision::in_short, named::Named};

admin_page! {
    with "sales_channels";
    "/channels" as "Sales channels" in Channels 10 => board;
    "/channels/new" => ask_new, create;
    "/channels/:id" => show, change;
}

/// A sales channel, as these pages show it.
#[derive(Deserialize)]
struct Channel {
    id: String,
    name: String,
    description: Option<String>,
    is_disabled: bool,
    created_at: Timestamp,
    #[serde(default)]
    stock_locations: Vec<Named>,
    #[serde(default)]
    publishable_api_keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    title: String,
    revoked_at: Option<Timestamp>,
}

const FIELDS: &str = "id,name,description,is_disabled,created_at,stock_locations.id,stock_locations.name,\
     publishable_api_keys.id,publishable_api_keys.title,publishable_api_keys.revoked_at";

/// Channels on one page of the board.
const BOARD_PAGE: usize = 24;

async fn board(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/sales-channels")
        .with("fields", FIELDS)
        .with("order", "name")
        .with("q", call.query("q"))
        .with("limit", BOARD_PAGE)
        .with("offset", call.offset());
    let channels: Records<Channel> = call.api().list(address, "sales_channels").await?;
    let sales = sales(&call, &channels.records).await?;
    let cards = channels.records.iter().map(|it| card(&call, it, sales.get(&it.id)));
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/channels/new")) { "New channel" } }
        @if channels.records.is_empty() { (nothing("No channel has such a name.")) }
        ul class="cards" { @for card in cards { li class="card" { (card) } } }
        (pager(&call, &channels))
    };
    Ok(Page::new("Sales channels", body))
}

/// What a channel sells, and what it has sold.
#[derive(Deserialize)]
struct Sales {
    sales_channel_id: String,
    products: Products,
    orders: u64,
    /// `None`: they have not been counted yet.
    variants: Option<Variants>,
}

/// How many products of a channel are in each state.
#[derive(Deserialize)]
struct Products {
    on_sale: u64,
    not_yet: u64,
    over: u64,
}

/// The variants of a channel, as they were counted in the background.
#[derive(Deserialize)]
struct Variants {
    counted_at: Timestamp,
    total: u64,
    on_sale: u64,
    blocked: Vec<Blocked>,
}

#[derive(Deserialize)]
struct Blocked {
    code: String,
    count: u64,
}

/// The days of the orders that the board counts.
const DAYS: i64 = 7;

/// What these channels sell, by their ids.
async fn sales(call: &PageCall, channels: &[Channel]) -> Result<HashMap<String, Sales>, Fault> {
    if channels.is_empty() {
        return Ok(HashMap::new());
    }
    let since = call.now().plus_millis(-DAYS * 24 * 60 * 60 * 1000);
    let counts = Address::of("/admin/sales-channel-counts").with("orders_from", since);
    let counts = channels.iter().fold(counts, |it, channel| it.with("sales_channel_id[]", &channel.id));
    let sales: Vec<Sales> = call.api().one(counts, "sales_channels").await?;
    Ok(sales.into_iter().map(|it| (it.sales_channel_id.clone(), it)).collect())
}

impl Sales {
    fn shown(&self, call: &PageCall) -> Markup {
        let Products { on_sale, not_yet, over } = &self.products;
        html! {
            (facts([
                ("Products on sale", html! { (on_sale) }),
                ("Not yet", html! { (not_yet) }),
                ("Over", html! { (over) }),
                ("Orders in seven days", html! { (self.orders) }),
            ]))
            @match &self.variants {
                Some(variants) => (variants.shown(call, &self.sales_channel_id)),
                None => (hint("What keeps variants from sale is counted within some minutes.")),
            }
        }
    }
}

impl Variants {
    fn shown(&self, call: &PageCall, channel: &str) -> Markup {
        let matrix = Address::of("/matrix").with("channel[]", channel);
        html! {
            p { (self.on_sale) " of " (self.total) " variants can be bought." }
            @if !self.blocked.is_empty() {
                ul {
                    @for it in &self.blocked {
                        li { (it.count) ": " (in_short(&it.code).1) }
                    }
                }
            }
            p class="hint" { "Counted at " (moment(self.counted_at)) ". " (link(call, matrix, "Which ones")) }
        }
    }
}

fn card(call: &PageCall, channel: &Channel, sales: Option<&Sales>) -> Markup {
    let n_keys = channel.publishable_api_keys.iter().filter(|it| it.revoked_at.is_none()).count();
    html! {
        h2 { (link(call, Address::of("/channels").then(&channel.id), &channel.name)) " " (state(channel)) }
        @if let Some(text) = &channel.description { p class="hint" { (text) } }
        @if let Some(sales) = sales { (sales.shown(call)) }
        (facts([
            ("Stock locations", html! { (channel.stock_locations.len()) }),
            ("Keys", html! { (n_keys) }),
        ]))
    }
}

fn state(channel: &Channel) -> Markup {
    if channel.is_disabled { badge("bad", "Disabled") } else { badge("good", "Enabled") }
}

fn name_and_description<'a>(channel: Option<&Channel>) -> [Field<'a>; 2] {
    let name = channel.map_or_else(String::new, |it| it.name.clone());
    let description = channel.and_then(|it| it.description.clone()).unwrap_or_default();
    [
        Field::text("name", "Name").value(name).required(),
        Field::area("description", "Description").value(description),
    ]
}

async fn ask_new(call: PageCall) -> Result<Page, Fault> {
    let form = call.form("create", "Create", &name_and_description(None));
    let body = html! { section class="card" { (form) } };
    Ok(Page::new("New sales channel", body).below("/channels", "Sales channels"))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let body = json!({ "name": form.text("name"), "description": form.or_null("description") });
    let answer: Value = call.api().post("/admin/sales-channels", &body).await?;
    let id = answer["sales_channel"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/channels").then(id), Done::Created))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/sales-channels").then(call.path("id")).with("fields", FIELDS);
    let channel: Channel = call.api().one(address, "sales_channel").await?;
    let sales = sales(&call, slice::from_ref(&channel)).await?;
    let below = |page: &str| Address::of("/channels").then(&channel.id).then(page);
    let stops = "A disabled channel shows and sells nothing, and its keys answer nothing. Disable it?";
    let switch = match channel.is_disabled {
        true => Button::new("enable", "Enable"),
        false => Button::danger("disable", "Disable", stops),
    };
    let goes = "Its products stay, its keys open it no longer, and its orders are kept. Delete the channel?";
    let body = html! {
        section class="card" {
            (facts([
                ("State", state(&channel)),
                ("Created", moment(channel.created_at)),
                ("Id", html! { code { (channel.id) } }),
            ]))
            @if let Some(sales) = sales.get(&channel.id) { (sales.shown(&call)) }
            div class="buttons" {
                a class="button" href=(call.to(below("products"))) { "Products" }
                a class="button quiet" href=(call.to(below("locations"))) { "Stock locations" }
                (call.button(switch))
                (call.button(Button::danger("delete", "Delete", goes)))
            }
        }
        section class="card" {
            h2 { "Name and description" }
            (call.form("save", "Save", &name_and_description(Some(&channel))))
        }
        section class="card" {
            h2 { "Stock locations" }
            (names(&call, "/locations", channel.stock_locations.iter().map(|it| (&*it.id, &*it.name))))
        }
        section class="card" {
            h2 { "Keys that open it" }
            (names(&call, "/keys", channel.publishable_api_keys.iter().map(|it| (&*it.id, &*it.title))))
        }
        (widgets(&call, PageOf::Channel, &channel.id).await)
    };
    Ok(Page::new(channel.name, body).below("/channels", "Sales channels"))
}

/// Links to records by name.
fn names<'a>(call: &PageCall, at: &str, records: impl Iterator<Item = (&'a str, &'a str)>) -> Markup {
    let records: Vec<_> = records.collect();
    html! {
        @if records.is_empty() { (nothing("None.")) }
        ul { @for (id, name) in records { li { (link(call, Address::of(at).then(id), name)) } } }
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let address = Address::of("/admin/sales-channels").then(call.path("id"));
    let body = match form.action() {
        "save" => json!({ "name": form.text("name"), "description": form.or_null("description") }),
        "enable" => json!({ "is_disabled": false }),
        "disable" => json!({ "is_disabled": true }),
        "delete" => {
            call.api().delete(address).await?;
            return Ok(Next::to("/channels", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().post::<Value>(address, &body).await?;
    Ok(Next::to(Address::of("/channels").then(call.path("id")), Done::Saved))
}
