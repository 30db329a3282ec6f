//! The assortment of a channel: its products with the periods in which it sells them, and the variants that
//! it leaves out.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge, choose,
    hint, html, link, moment, nothing, pager, period, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::named::{CATEGORIES, COLLECTIONS, NamedList, TAGS, TYPES, first, options_or};

admin_page! {
    with "sales_channels";
    "/channels/:id/products" => list;
    "/channels/:id/products/add" => candidates;
    "/channels/:id/products/:product" => terms, change_terms;
}

/// Products on a page of the list.
const PAGE: usize = 30;

/// Collections, categories, tags and types that the search offers, of each.
const OPTIONS_MAX: usize = 100;

/// Days of the time line, and how much of it is shown.
const TURNS_DAYS: i64 = 30;
const TURNS_SHOWN: usize = 10;

#[derive(Deserialize)]
pub(super) struct Channel {
    name: String,
}

/// What appears and disappears, the first ones first.
#[derive(Deserialize)]
struct Turns {
    products: Vec<Turn>,
    count: usize,
}

#[derive(Deserialize)]
struct Turn {
    product_id: String,
    title: String,
    change: String,
    changes_at: Timestamp,
}

/// A product of the catalogue.
#[derive(Deserialize)]
struct Product {
    id: String,
    title: String,
    status: String,
}

/// A page of the products of the channel, with how many there are in each state.
#[derive(Deserialize)]
struct Assortment {
    sales_channel: Channel,
    counts: Counts,
    products: Vec<Listed>,
    count: usize,
    offset: usize,
    limit: usize,
}

#[derive(Deserialize)]
struct Counts {
    on_sale: u64,
    not_yet: u64,
    over: u64,
    not_published: u64,
}

#[derive(Deserialize)]
struct Listed {
    product_id: String,
    title: String,
    thumbnail: Option<String>,
    state: String,
    available_from: Option<Timestamp>,
    available_until: Option<Timestamp>,
    n_variants: u64,
    n_excluded_variants: u64,
}

/// When the channel sells a product.
#[derive(Deserialize)]
struct Window {
    available_from: Option<Timestamp>,
    available_until: Option<Timestamp>,
}

impl Window {
    fn state(&self, now: Timestamp) -> Markup {
        match (self.available_from, self.available_until) {
            (Some(from), _) if now < from => badge("warn", "Not yet"),
            (_, Some(until)) if until <= now => badge("bad", "Over"),
            _ => badge("good", "Open"),
        }
    }
}

pub(super) fn of_channel(call: &PageCall) -> Address {
    Address::of("/admin/sales-channels").then(call.path("id"))
}

/// The page of the products of the channel.
pub(super) fn list_of(call: &PageCall) -> Address {
    Address::of("/channels").then(call.path("id")).then("products")
}

pub(super) async fn channel(call: &PageCall) -> Result<Channel, Fault> {
    call.api().one(of_channel(call).with("fields", "id,name"), "sales_channel").await
}

pub(super) fn below(call: &PageCall, channel: &Channel, page: Page) -> Page {
    page.below("/channels", "Sales channels")
        .below(Address::of("/channels").then(call.path("id")), &channel.name)
}

async fn window(call: &PageCall, product: &str) -> Result<Window, Fault> {
    call.api().one(of_channel(call).then("products").then(product), "product").await
}

/// Products of the catalogue, to choose from.
fn products(call: &PageCall) -> Address {
    Address::of("/admin/products")
        .with("fields", "id,title,status")
        .with("q", call.query("q"))
        .with("order", "title")
        .with("limit", PAGE)
        .with("offset", call.offset())
}

/// A field that narrows the list to one of the first records of another.
async fn narrowed(
    call: &PageCall,
    name: &'static str,
    label: &'static str,
    list: NamedList,
) -> Result<Field<'static>, Fault> {
    let records = first(call, list, OPTIONS_MAX).await?;
    Ok(Field::choice(name, label, options_or("any", &records)).value(call.query(name)))
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let mut address = of_channel(&call).then("products").with("order", "title");
    for name in ["q", "state", "collection_id", "category_id", "tag_id", "type_id"] {
        address = address.with(name, call.query(name));
    }
    let address = address.with("limit", PAGE).with("offset", call.offset());
    let Assortment { sales_channel, counts, products, count, offset, limit } =
        call.api().get(address).await?;
    let page = Records { records: products, count, offset, limit };
    let body = html! {
        (search(&call, &counts).await?)
        @if page.records.is_empty() { (nothing("The channel has no such product.")) } @else {
            @let rows = page.records.iter().map(|it| row(&call, it));
            (call.search_of(list_of(&call).then("change"), html! {
                (table(&["Product", "State", "Sold", "Variants"], rows))
                (bulk())
            }))
        }
        (pager(&call, &page))
        @if call.offset() == 0 { (turns(&call).await?) }
    };
    Ok(below(&call, &sales_channel, Page::new("Products of the channel", body)))
}

async fn search(call: &PageCall, counts: &Counts) -> Result<Markup, Fault> {
    let states = [
        ("", "any".to_owned()),
        ("on_sale", format!("on sale ({})", counts.on_sale)),
        ("not_yet", format!("not yet ({})", counts.not_yet)),
        ("over", format!("over ({})", counts.over)),
        ("not_published", format!("not published ({})", counts.not_published)),
    ];
    let collections = narrowed(call, "collection_id", "Collection", COLLECTIONS).await?;
    let categories = narrowed(call, "category_id", "Category", CATEGORIES).await?;
    let tags = narrowed(call, "tag_id", "Tag", TAGS).await?;
    let types = narrowed(call, "type_id", "Type", TYPES).await?;
    let add = list_of(call).then("add");
    let fields = html! {
        div class="fields" {
            (Field::line("search", "q", "Title, SKU or text").value(call.query("q")))
            (Field::choice("state", "State", states).value(call.query("state")))
            (collections)
            (categories)
            (tags)
            (types)
        }
        p class="buttons" {
            button class="quiet" { "Search" }
            a class="button" href=(call.to(add)) { "Add products" }
        }
    };
    Ok(call.search_of(call.at(), fields))
}

fn row(call: &PageCall, product: &Listed) -> Vec<Markup> {
    let to = list_of(call).then(&product.product_id);
    vec![
        html! {
            span class="named" {
                (choose("product", &product.product_id, &product.title, false))
                (call.picture(product.thumbnail.as_deref(), "thumb"))
                (link(call, to, &product.title))
            }
        },
        state_badge(&product.state),
        period(product.available_from, product.available_until),
        html! {
            (product.n_variants)
            @if product.n_excluded_variants > 0 { ", " (product.n_excluded_variants) " left out" }
        },
    ]
}

pub(super) fn state_badge(state: &str) -> Markup {
    match state {
        "on_sale" => badge("good", "On sale"),
        "not_yet" => badge("warn", "Not yet"),
        "over" => badge("bad", "Over"),
        _ => badge("", "Not published"),
    }
}

/// What the channel begins and ends to sell by itself.
async fn turns(call: &PageCall) -> Result<Markup, Fault> {
    let to = call.now().plus_millis(TURNS_DAYS * 24 * 60 * 60 * 1000);
    let changes = of_channel(call).then("changes").with("to", to).with("limit", TURNS_SHOWN);
    let Turns { products, count } = call.api().get(changes).await?;
    let terms = |it: &Turn| link(call, list_of(call).then(&it.product_id), &it.title);
    let preview = |it: &Turn| {
        let at = Address::of("/preview").with("channel", call.path("id")).with("at", it.changes_at);
        link(call, at, "Preview")
    };
    let rows = products.iter().map(|it| {
        let what = match it.change.as_str() {
            "appears" => badge("good", "Opens"),
            _ => badge("bad", "Ends"),
        };
        vec![moment(it.changes_at), what, terms(it), preview(it)]
    });
    Ok(html! {
        section class="card" {
            h2 { "What opens and ends in the next " (TURNS_DAYS) " days" }
            @if products.is_empty() { (nothing("Nothing does.")) }
            @else { (table(&["At", "What", "Product", "Shop at that moment"], rows)) }
            @if count > products.len() { (hint(format!("And {} later.", count - products.len()))) }
        }
    })
}

/// What is done to the products that are chosen; shown first.
fn bulk() -> Markup {
    html! {
        fieldset {
            legend { "With the chosen products" }
            label class="field tick" { span { "Choose all on this page" } input type="checkbox" data-all="product[]" hidden; }
            div class="fields" {
                (Field::moment("available_from", "Sell from"))
                (Field::moment("available_until", "Sell until"))
            }
            div class="fields" {
                (without("start", "Without a beginning"))
                (without("end", "Without an end"))
            }
            p class="buttons" {
                button name="what" value="window" { "Set the period" }
                button name="what" value="remove" class="danger" { "Take out of the channel" }
            }
            (hint("An end that is left empty stays as it is. What would change is shown before it is done."))
        }
    }
}

/// A box for an end of a period that is to be none.
fn without(end: &str, label: &str) -> Markup {
    html! {
        label class="field tick" {
            span { (label) }
            input type="checkbox" name="without[]" value=(end);
        }
    }
}

async fn candidates(call: PageCall) -> Result<Page, Fault> {
    let channel = channel(&call).await?;
    let page: Records<Product> = call.api().list(products(&call), "products").await?;
    let row = |it: &Product| {
        let named = html! { span class="named" { (choose("product", &it.id, &it.title, false)) (it.title) } };
        vec![named, html! { (it.status) }]
    };
    let body = html! {
        (call.search(call.at(), "Search", &[Field::line("search", "q", "Title, SKU or text").value(call.query("q"))]))
        (call.search_of(list_of(&call).then("change"), html! {
            (table(&["Product", "Status"], page.records.iter().map(row)))
            p class="buttons" { button name="what" value="add" { "Add to the channel" } }
        }))
        (pager(&call, &page))
    };
    let page = Page::new("Add products", body);
    Ok(below(&call, &channel, page).below(list_of(&call), "Products of the channel"))
}

#[derive(Deserialize)]
struct WithVariants {
    title: String,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    id: String,
    title: String,
    sku: Option<String>,
    #[serde(default)]
    excluded_from_link: Vec<Excluded>,
}

/// A channel that leaves a variant out.
#[derive(Deserialize)]
struct Excluded {
    sales_channel_id: String,
}

async fn terms(call: PageCall) -> Result<Page, Fault> {
    let channel = channel(&call).await?;
    let product = Address::of("/admin/products").then(call.path("product")).with(
        "fields",
        "id,title,variants.id,variants.title,variants.sku,variants.excluded_from_link.sales_channel_id",
    );
    let product: WithVariants = call.api().one(product, "product").await?;
    let window = window(&call, call.path("product")).await?;
    let text = |it: Option<Timestamp>| it.map_or_else(String::new, |it| it.to_string());
    let fields = [
        Field::moment("available_from", "Sell from").value(text(window.available_from)),
        Field::moment("available_until", "Sell until").value(text(window.available_until)),
    ];
    let is_out =
        |it: &Variant| it.excluded_from_link.iter().any(|out| out.sales_channel_id == call.path("id"));
    let body = html! {
        section class="card" {
            h2 { "Period of sale " (window.state(call.now())) }
            (call.form("window", "Save", &fields))
        }
        section class="card" {
            h2 { "Variants that the channel sells" }
            (call.form_of(|_| html! {
                @for variant in &product.variants {
                    label class="field tick" {
                        span { (variant.title) " " code { (variant.sku.as_deref().unwrap_or_default()) } }
                        input type="hidden" name="shown[]" value=(variant.id);
                        input type="checkbox" name="variant[]" value=(variant.id) checked[!is_out(variant)];
                    }
                }
            }, &[Button::new("variants", "Save")]))
        }
    };
    let page = Page::new(product.title, body);
    Ok(below(&call, &channel, page).below(list_of(&call), "Products of the channel"))
}

async fn change_terms(call: PageCall, form: Form) -> Result<Next, Fault> {
    let product = call.path("product");
    let body = match form.action() {
        "window" => {
            let (from, until) = (form.moment("available_from")?, form.moment("available_until")?);
            json!({ "products": [{ "product_id": product, "available_from": from, "available_until": until }] })
        }
        "variants" => {
            let ticked = form.all("variant");
            let terms = |id: &str| json!({ "variant_id": id, "is_enabled": ticked.contains(&id) });
            json!({ "variants": form.all("shown").into_iter().map(terms).collect::<Vec<_>>() })
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().post::<Value>(of_channel(&call).then("assortment"), &body).await?;
    let page = list_of(&call).then(product);
    Ok(Next::to(page, Done::Saved))
}
