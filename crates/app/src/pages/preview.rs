//! The preview: what a channel shows at a moment, beside now, with what appears and disappears in between.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Field, Markup, Page, PageCall, Records, admin_page, badge, hint, html, link, moment, nothing,
    pager,
};
use serde::Deserialize;

use super::decision::Cell;
use super::named::{CHANNELS, named, options};

admin_page! {
    with "sales_channels";
    "/preview" as "Preview" in Channels 50 => show;
}

/// Cards on a page.
const PAGE: usize = 24;

#[derive(Deserialize)]
struct Changes {
    from: Timestamp,
    to: Timestamp,
    products: Vec<Change>,
    count: usize,
    offset: usize,
    limit: usize,
}

#[derive(Deserialize)]
struct Change {
    product_id: String,
    title: String,
    thumbnail: Option<String>,
    change: String,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    title: String,
    after: Cell,
}

#[derive(Deserialize)]
struct Assortment {
    at: Timestamp,
    products: Vec<Shown>,
    count: usize,
    offset: usize,
    limit: usize,
}

#[derive(Deserialize)]
struct Shown {
    product_id: String,
    title: String,
    thumbnail: Option<String>,
    available_until: Option<Timestamp>,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let channels = named(&call, CHANNELS).await?;
    let channel = match call.query("channel") {
        "" => channels.first().map_or("", |it| it.id.as_str()),
        id => id,
    };
    let at = call.query_moment("at")?;
    let shown = match (channel, at) {
        ("", _) => nothing("There is no channel yet."),
        (_, None) => hint("Choose the moment at which you want to see the shop."),
        (channel, Some(at)) => shown(&call, channel, at).await?,
    };
    let body = html! {
        section class="card" {
            (call.search("/preview", "Show", &[
                Field::choice("channel", "Channel", options(&channels)).value(channel),
                Field::moment("at", "Moment").value(at.map_or_else(String::new, |it| it.to_string())).required(),
            ]))
        }
        (shown)
    };
    Ok(Page::new("Preview", body))
}

async fn shown(call: &PageCall, channel: &str, at: Timestamp) -> Result<Markup, Fault> {
    let of_channel = Address::of("/admin/sales-channels").then(channel);
    let changes = of_channel.clone().then("changes").with("to", at).with("limit", PAGE);
    let changes: Changes = call.api().get(changes).await?;
    let then = of_channel
        .then("products")
        .with("at", at)
        .with("state", "on_sale")
        .with("limit", PAGE)
        .with("offset", call.offset());
    let Assortment { at, products, count, offset, limit } = call.api().get(then).await?;
    let products = Records { records: products, count, offset, limit };
    let Changes { from, to, products: changed, count, offset, limit } = changes;
    let changed = Records { records: changed, count, offset, limit };
    Ok(html! {
        section {
            h2 { "What changes between " (moment(from)) " and " (moment(to)) }
            @if changed.records.is_empty() { (nothing("Nothing appears, and nothing disappears.")) }
            ul class="cards" { @for change in &changed.records { li class="card" { (card(call, change)) } } }
            @if changed.count > changed.records.len() { (hint(format!("And {} more.", changed.count - changed.records.len()))) }
        }
        section {
            h2 { "The shop at " (moment(at)) }
            @if products.records.is_empty() { (nothing("The channel shows nothing then.")) }
            ul class="cards" { @for product in &products.records { li class="card" { (face(call, product)) } } }
            (pager(call, &products))
        }
    })
}

fn card(call: &PageCall, change: &Change) -> Markup {
    let (kind, text) = match change.change.as_str() {
        "appears" => ("good", "Appears"),
        _ => ("bad", "Disappears"),
    };
    html! {
        @if change.thumbnail.is_some() { (call.picture(change.thumbnail.as_deref(), "picture")) }
        h3 { (link(call, Address::of("/products").then(&change.product_id), &change.title)) " " (badge(kind, text)) }
        ul {
            @for variant in &change.variants {
                li {
                    (variant.title) ": "
                    @match (&variant.after.reason, variant.after.available_quantity) {
                        (Some(reason), _) => (reason),
                        (None, Some(n)) => { (n) " to sell" },
                        (None, None) => @if variant.after.sellable { "sold without limit" } @else { "not sold" },
                    }
                }
            }
        }
    }
}

fn face(call: &PageCall, product: &Shown) -> Markup {
    html! {
        @if product.thumbnail.is_some() { (call.picture(product.thumbnail.as_deref(), "picture")) }
        h3 { (link(call, Address::of("/products").then(&product.product_id), &product.title)) }
        @if let Some(until) = product.available_until { p class="hint" { "until " (moment(until)) } }
    }
}
