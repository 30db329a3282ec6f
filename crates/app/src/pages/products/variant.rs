//! The page of a variant: texts, prices by currency, and the items of which its stock is counted.

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{
    Address, Done, Field, Form, Markup, Next, Page, PageCall, Seen, admin_page, facts, hint, html, link,
    nothing, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Price;
use crate::pages::deletion::deletion;
use crate::pages::store::{CURRENCIES_MAX, currencies, price_names};

admin_page! {
    "/products/:id/variants/:variant" => show, change;
}

#[derive(Deserialize)]
struct Variant {
    id: String,
    title: Option<String>,
    sku: Option<String>,
    manage_inventory: bool,
    allow_backorder: bool,
    inventory_quantity: Option<Decimal>,
    product: Product,
    #[serde(default)]
    options: Vec<Chosen>,
    #[serde(default)]
    inventory_items: Vec<Part>,
}

/// Its prices.
#[derive(Deserialize)]
struct Priced {
    #[serde(default)]
    prices: Vec<Price>,
}

#[derive(Deserialize)]
struct Product {
    title: String,
}

#[derive(Deserialize)]
struct Chosen {
    value: String,
    option: Option<Product>,
}

#[derive(Deserialize)]
struct Part {
    inventory_item_id: String,
    required_quantity: Decimal,
    inventory: Option<Item>,
}

#[derive(Deserialize)]
struct Item {
    title: Option<String>,
    sku: Option<String>,
    stocked_quantity: Decimal,
    reserved_quantity: Decimal,
}

const FIELDS: &str = "id,title,sku,manage_inventory,allow_backorder,inventory_quantity,product.title,\
     options.value,options.option.title,inventory_items.inventory_item_id,inventory_items.required_quantity,\
     inventory_items.inventory.title,inventory_items.inventory.sku,\
     inventory_items.inventory.stocked_quantity,inventory_items.inventory.reserved_quantity";

const PRICES: &str = "id,prices.id,prices.currency_code,prices.amount,prices.min_quantity,\
     prices.max_quantity,prices.rules";

fn route(call: &PageCall) -> Address {
    Address::of("/admin/products").then(call.path("id")).then("variants").then(call.path("variant"))
}

async fn variant(call: &PageCall) -> Result<Variant, Fault> {
    call.api().one(route(call).with("fields", FIELDS), "variant").await
}

async fn priced(call: &PageCall) -> Result<(Priced, Seen), Fault> {
    call.api().seen(route(call).with("fields", PRICES), "variant").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let variant = variant(&call).await?;
    let body = html! {
        section class="card" {
            (summary(&variant))
            @if call.has("/why") {
                (link(&call, Address::of("/why").with("variant", &variant.id), "Is it on sale?"))
            }
        }
        (prices(&call).await?)
        (stock(&call, &variant))
        (texts(&call, &variant))
        @let known = html! {
            p {
                "Items that nothing else needs go with it. Orders keep it. While stock of it is reserved, it is "
                "not deleted."
            }
        };
        (deletion(&call, &known, "Delete variant", "Delete the variant and its stock?"))
    };
    let product = Address::of("/products").then(call.path("id"));
    let title = variant.title.unwrap_or_else(|| "Untitled".to_owned());
    Ok(Page::new(title, body).below("/products", "Products").below(product, variant.product.title))
}

fn summary(variant: &Variant) -> Markup {
    let available = match variant.manage_inventory {
        true => variant.inventory_quantity.unwrap_or_default().to_string(),
        false => "not counted".to_owned(),
    };
    html! {
        dl class="facts" {
            @for chosen in &variant.options {
                div {
                    dt { (chosen.option.as_ref().map_or("Option", |it| &it.title)) }
                    dd { (chosen.value) }
                }
            }
        }
        (facts([("Available", html! { (available) })]))
    }
}

fn texts(call: &PageCall, variant: &Variant) -> Markup {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let fields = [
        Field::text("title", "Title").value(text(&variant.title)).required(),
        Field::text("sku", "SKU").value(text(&variant.sku)),
        Field::tick("managed", "Count its stock", variant.manage_inventory)
            .hint("Without, it never runs out."),
        Field::tick("backorder", "Sell it also when there is none", variant.allow_backorder),
    ];
    html! { section class="card" { h2 { "Texts and rules" } (call.form("save", "Save", &fields)) } }
}

/// The currencies in which something is sold, and those in which the variant has a price.
async fn asked(call: &PageCall, priced: &Priced) -> Result<Vec<String>, Fault> {
    let mut all: Vec<String> = plain(priced).map(|it| it.currency_code.clone()).collect();
    for code in currencies(call).await? {
        if all.len() < CURRENCIES_MAX && !all.contains(&code) {
            all.push(code);
        }
    }
    all.sort();
    Ok(all)
}

fn plain(priced: &Priced) -> impl Iterator<Item = &Price> {
    priced.prices.iter().filter(|it| it.is_plain())
}

async fn prices(call: &PageCall) -> Result<Markup, Fault> {
    let (priced, seen) = priced(call).await?;
    let currencies = asked(call, &priced).await?;
    let amount = |code: &str| {
        let price = plain(&priced).find(|it| it.currency_code == code);
        price.map_or_else(String::new, |it| it.amount.to_string())
    };
    let names = price_names(&currencies);
    let fields: Vec<Field<'_>> = names
        .iter()
        .zip(&currencies)
        .map(|((name, label), code)| Field::number(name, label).value(amount(code)))
        .collect();
    let n_others = priced.prices.len() - plain(&priced).count();
    Ok(html! {
        section class="card" id="prices" {
            h2 { "Prices" }
            (call.form_of_seen(&seen, "prices", "Save prices", &fields))
            (hint("A currency without a price does not sell it."))
            @if n_others > 0 {
                (hint(format!("{n_others} more prices hold in a region or from a quantity on; they stay.")))
            }
        }
    })
}

fn stock(call: &PageCall, variant: &Variant) -> Markup {
    let rows = variant.inventory_items.iter().map(|part| {
        let item = part.inventory.as_ref();
        let name = item.and_then(|it| it.sku.as_deref().or(it.title.as_deref())).unwrap_or("Untitled");
        let shown = |of: fn(&Item) -> Decimal| html! { (item.map(of).unwrap_or_default()) };
        vec![
            link(call, Address::of("/stock").then(&part.inventory_item_id), name),
            html! { (part.required_quantity) },
            shown(|it| it.stocked_quantity),
            shown(|it| it.reserved_quantity),
        ]
    });
    html! {
        section class="card" id="stock" {
            h2 { "Stock" }
            @if variant.inventory_items.is_empty() {
                @if variant.manage_inventory {
                    (nothing("Its stock is counted, and there is no item to count: it cannot be sold."))
                } @else {
                    (nothing("Its stock is not counted: it never runs out."))
                }
                (call.form("track", "Create its item", &[]))
            } @else {
                (table(&["Item", "Needed for one", "In stock", "Reserved"], rows))
            }
        }
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let of_product = Address::of("/products").then(call.path("id"));
    let done = match form.action() {
        "save" => {
            let body = json!({
                "title": form.text("title"),
                "sku": form.or_null("sku"),
                "manage_inventory": form.is_on("managed"),
                "allow_backorder": form.is_on("backorder"),
            });
            update(&call, &body).await.map(|()| Done::Saved)?
        }
        "prices" => save_prices(&call, &form).await.map(|()| Done::Saved)?,
        "track" => track(&call).await?,
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to(of_product, Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(of_product.then("variants").then(call.path("variant")), done))
}

async fn update(call: &PageCall, body: &Value) -> Result<(), Fault> {
    call.api().post::<Value>(route(call).with("fields", "id"), body).await.map(drop)
}

/// Sets the prices that hold for everybody; the others stay.
async fn save_prices(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let (priced, now) = priced(call).await?;
    let mut prices: Vec<Value> =
        priced.prices.iter().filter(|it| !it.is_plain()).map(|it| json!({ "id": it.id })).collect();
    for (code, amount) in form.numbers("prices")? {
        prices.push(match plain(&priced).find(|it| it.currency_code == code) {
            Some(price) => json!({ "id": price.id, "amount": amount }),
            None => json!({ "currency_code": code, "amount": amount }),
        });
    }
    call.api().save(form, &now, &json!({ "prices": prices })).await
}

/// Creates an item of the variant's own, of which one is needed. Without the variant there is no item.
async fn track(call: &PageCall) -> Result<Done, Fault> {
    let variant = variant(call).await?;
    let item = json!({ "sku": variant.sku, "title": variant.title });
    let answer: Value = call.api().post("/admin/inventory-items", &item).await?;
    let item = answer["inventory_item"]["id"].as_str().unwrap_or_default();
    let part = json!({ "inventory_item_id": item, "required_quantity": 1 });
    let parts = route(call).then("inventory-items").with("fields", "id");
    if let Err(fault) = call.api().post::<Value>(parts, &part).await {
        call.api().delete(Address::of("/admin/inventory-items").then(item)).await?;
        return Err(fault);
    }
    Ok(Done::Saved.with(&update(call, &json!({ "manage_inventory": true })).await))
}
