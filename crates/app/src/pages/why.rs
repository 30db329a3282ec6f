//! Why is this not on sale here? The decision for one variant, one channel and one moment, with each reason
//! as a sentence and the place where it is put right. The address of an answer asks the same again.

use std::collections::{BTreeSet, HashMap};

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{
    Address, Field, Markup, Page, PageCall, admin_page, badge, facts, hint, html, link, moment, nothing,
    table,
};
use serde::Deserialize;

use super::decision::Reason;
use super::named::{
    CHANNELS, ITEMS, LOCATIONS, Named, NamedVariant, REGIONS, VARIANT_FIELDS, find_variants, named, names_of,
    options, options_or,
};

admin_page! {
    with "sales_channels";
    "/why" as "Why is it not sold?" in Channels 40 => show;
}

/// How many variants a search offers to choose from.
const FOUND_MAX: usize = 20;

/// The answer of the decision.
#[derive(Deserialize)]
struct Availability {
    at: Timestamp,
    sellable: bool,
    available_quantity: Option<Decimal>,
    reasons: Vec<Reason>,
    inventory: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    inventory_item_id: String,
    required_quantity: Decimal,
    location_levels: Vec<Level>,
}

#[derive(Deserialize)]
struct Level {
    location_id: String,
    safety_stock: Decimal,
    stocked_quantity: Option<Decimal>,
    reserved_quantity: Option<Decimal>,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let channels = named(&call, CHANNELS).await?;
    let regions = named(&call, REGIONS).await?;
    let channel = match call.query("channel") {
        "" => channels.first().map_or("", |it| it.id.as_str()),
        id => id,
    };
    let at = call.query_moment("at")?;
    let (variant, found) = find(&call).await?;
    let answer = match &variant {
        Some(variant) if !channel.is_empty() => Some(answer(&call, channel, variant, at).await?),
        _ => None,
    };
    let body = html! {
        section class="card" { (question(&call, &channels, &regions, channel, at)) }
        @if let Some(found) = found { (choices(&call, &found)) }
        @if let Some(answer) = answer { (answer) }
    };
    Ok(Page::new("Why is it not sold?", body))
}

fn question(
    call: &PageCall,
    channels: &[Named],
    regions: &[Named],
    channel: &str,
    at: Option<Timestamp>,
) -> Markup {
    let fields = [
        Field::line("search", "q", "SKU or title").value(call.query("q")),
        Field::choice("channel", "Channel", options(channels)).value(channel),
        Field::choice("region", "Region of the price", options_or("any", regions))
            .value(call.query("region")),
        Field::number("quantity", "Quantity").value(call.query("quantity")),
        Field::moment("at", "At; empty: now").value(at.map_or_else(String::new, |it| it.to_string())),
    ];
    call.search("/why", "Ask", &fields)
}

/// The variant that is asked about, or those that the search found.
async fn find(call: &PageCall) -> Result<(Option<NamedVariant>, Option<Vec<NamedVariant>>), Fault> {
    let (q, id) = (call.query("q"), call.query("variant"));
    if q.is_empty() && id.is_empty() {
        return Ok((None, None));
    }
    if !id.is_empty() {
        let by_id = Address::of("/admin/product-variants").with("fields", VARIANT_FIELDS).with("id", id);
        let mut variants = call.api().list::<NamedVariant>(by_id, "variants").await?.records;
        return match variants.pop() {
            Some(variant) => Ok((Some(variant), None)),
            None => Err(Fault::not_found("There is no such variant any more")),
        };
    }
    let mut found = find_variants(call, q, FOUND_MAX).await?;
    if found.len() == 1 {
        return Ok((found.pop(), None));
    }
    Ok((None, Some(found)))
}

fn choices(call: &PageCall, found: &[NamedVariant]) -> Markup {
    let to =
        |it: &NamedVariant| call.with(&[("variant", &it.id), ("q", it.sku.as_deref().unwrap_or_default())]);
    html! {
        section class="card" {
            h2 { "Which one?" }
            @if found.is_empty() { (nothing("No variant has such a SKU or title.")) }
            ul {
                @for variant in found {
                    li { a href=(to(variant)) { (variant.name()) } " " code { (variant.sku.as_deref().unwrap_or_default()) } }
                }
            }
        }
    }
}

async fn answer(
    call: &PageCall,
    channel: &str,
    variant: &NamedVariant,
    at: Option<Timestamp>,
) -> Result<Markup, Fault> {
    let address = Address::of("/admin/sales-channels")
        .then(channel)
        .then("availability")
        .with("variant_id", &variant.id)
        .with("quantity", call.query("quantity"))
        .with("region_id", call.query("region"))
        .with("at", at.map_or_else(String::new, |it| it.to_string()));
    let answer: Availability = call.api().one(address, "availability").await?;
    let stock = answer.inventory.unwrap_or_default();
    let names = Names::of(call, &stock).await?;
    let available = answer.available_quantity.map_or_else(|| "not limited".to_owned(), |it| it.to_string());
    Ok(html! {
        section class="card" {
            h2 { (variant.name()) " " code { (variant.sku.as_deref().unwrap_or_default()) } }
            p {
                @if answer.sellable { (badge("good", "On sale")) } @else { (badge("bad", "Not on sale")) }
                " " (moment(answer.at))
            }
            (facts([("How many can be sold", html! { (available) })]))
            @if !answer.reasons.is_empty() {
                h3 { "Because" }
                ul {
                    @for reason in &answer.reasons {
                        li { (reason) ". " (link(call, place(reason, channel, variant, &stock), "Put it right")) }
                    }
                }
            }
            @if !stock.is_empty() { (levels(call, &stock, &names)) }
            (hint("The address of this page asks the same again: copy it for others."))
        }
    })
}

/// The page on which a reason is put right.
fn place(reason: &Reason, channel: &str, variant: &NamedVariant, stock: &[Item]) -> Address {
    let of_channel = || Address::of("/channels").then(channel);
    let product = variant.product_id.as_deref().unwrap_or_default();
    let of_product = || Address::of("/products").then(product);
    match reason.code.as_str() {
        "product_not_published" | "product_not_in_sales_channel" => of_product(),
        "product_not_available_yet" | "product_no_longer_available" | "variant_excluded" => {
            of_channel().then("products").then(product)
        }
        "no_price" | "no_inventory_item" => of_product().then("variants").then(&variant.id),
        "no_stock_location" => of_channel().then("locations"),
        "insufficient_inventory" => match stock {
            [item] => Address::of("/stock").then(&item.inventory_item_id),
            _ => Address::of("/stock").with("q", variant.sku.as_deref().unwrap_or_default()),
        },
        _ => of_channel(),
    }
}

/// The names of the items and locations that an answer tells of.
struct Names {
    items: HashMap<String, String>,
    locations: HashMap<String, String>,
}

impl Names {
    async fn of(call: &PageCall, items: &[Item]) -> Result<Names, Fault> {
        let levels = items.iter().flat_map(|it| &it.location_levels);
        let locations: BTreeSet<&str> = levels.map(|it| it.location_id.as_str()).collect();
        let ids = items.iter().map(|it| it.inventory_item_id.as_str());
        Ok(Names {
            items: names_of(call, ITEMS, ids).await?,
            locations: names_of(call, LOCATIONS, locations).await?,
        })
    }
}

fn levels(call: &PageCall, items: &[Item], names: &Names) -> Markup {
    let shown = |it: &Option<Decimal>| it.map_or_else(|| "–".to_owned(), |it| it.to_string());
    let named = |at: &str, id: &str, names: &HashMap<String, String>| {
        link(call, Address::of(at).then(id), names.get(id).map_or(id, String::as_str))
    };
    let rows = items.iter().flat_map(|item| {
        item.location_levels.iter().map(move |level| {
            vec![
                named("/stock", &item.inventory_item_id, &names.items),
                html! { (item.required_quantity) },
                named("/locations", &level.location_id, &names.locations),
                html! { (shown(&level.stocked_quantity)) },
                html! { (shown(&level.reserved_quantity)) },
                html! { (level.safety_stock) },
            ]
        })
    });
    html! {
        h3 { "Stock at the locations of the channel" }
        (table(&["Item", "Needed for one", "Location", "In stock", "Reserved", "Stays there"], rows))
    }
}
