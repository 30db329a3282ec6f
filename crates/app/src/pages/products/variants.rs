//! The variants on the page of a product: the table of them, and the forms of a new one and a new option.

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{
    Address, Blank, Button, Field, Form, Markup, Next, PageCall, Records, hint, html, link, nothing, pager,
    table,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Price,
    one::{Product, route, saved},
    typed_prices,
};
use crate::pages::store::{currencies, price_names};

/// Variants on one page of the table.
const TABLE_PAGE: usize = 25;

#[derive(Deserialize)]
struct Variant {
    id: String,
    title: Option<String>,
    sku: Option<String>,
    manage_inventory: bool,
    inventory_quantity: Option<Decimal>,
    #[serde(default)]
    prices: Vec<Price>,
}

const FIELDS: &str = "id,title,sku,manage_inventory,inventory_quantity,prices.id,prices.currency_code,\
     prices.amount,prices.min_quantity,prices.max_quantity,prices.rules";

/// The table, and the forms that add to it.
pub(super) async fn section(call: &PageCall, product: &Product) -> Result<Markup, Fault> {
    let address = route(call)
        .then("variants")
        .with("fields", FIELDS)
        .with("order", "variant_rank")
        .with("limit", TABLE_PAGE)
        .with("offset", call.offset());
    let variants: Records<Variant> = call.api().list(address, "variants").await?;
    let rows = variants.records.iter().map(|it| row(call, product, it));
    Ok(html! {
        section class="card" id="variants" {
            h2 { "Variants" }
            @if variants.records.is_empty() { (nothing("It has no variant: nothing of it can be sold.")) }
            @else { (table(&["Variant", "SKU", "Price", "Available"], rows)) }
            (pager(call, &variants))
            (more(call, product).await?)
        }
    })
}

fn row(call: &PageCall, product: &Product, variant: &Variant) -> Vec<Markup> {
    let address = Address::of("/products").then(&product.id).then("variants").then(&variant.id);
    let plain: Vec<&Price> = variant.prices.iter().filter(|it| it.is_plain()).collect();
    vec![
        link(call, address, variant.title.as_deref().unwrap_or("Untitled")),
        html! { @if let Some(sku) = &variant.sku { code { (sku) } } @else { "–" } },
        html! {
            @if plain.is_empty() { "none" }
            span class="list" { @for it in plain { (call.money(it.amount, &it.currency_code)) " " } }
        },
        html! {
            @if variant.manage_inventory { (variant.inventory_quantity.unwrap_or_default()) }
            @else { "not counted" }
        },
    ]
}

/// The forms of a new variant and a new option, folded until they are asked for.
async fn more(call: &PageCall, product: &Product) -> Result<Markup, Fault> {
    let options = [
        Field::text("title", "Name").required().hint("As `Size`."),
        Field::text("values", "Values").required().hint("As `S, M, L`."),
    ];
    Ok(html! {
        (call.fold("New variant", &["add-variant"], new_variant(call, product).await?))
        (call.fold("New option", &["add-option"], html! {
            (hint("Variants that are there have no value of it, and no page takes it away again: the API does both."))
            (call.form("add-option", "Add option", &options))
        }))
    })
}

async fn new_variant(call: &PageCall, product: &Product) -> Result<Markup, Fault> {
    let prices = price_names(&currencies(call).await?);
    let names: Vec<String> = product.options.iter().map(|it| format!("values[{}]", it.id)).collect();
    let known = |values: &[super::one::OptionValue]| {
        let values: Vec<&str> = values.iter().map(|it| it.value.as_str()).collect();
        format!("There are {}; another one is added.", values.join(", "))
    };
    let hints: Vec<String> = product.options.iter().map(|it| known(&it.values)).collect();
    let fields = |form: &Blank<'_>| {
        html! {
            div class="fields" {
                @for (index, option) in product.options.iter().enumerate() {
                    (form.field(&Field::text(&names[index], &option.title).hint(&hints[index]).required()))
                }
            }
            div class="fields" {
                (form.field(&Field::text("sku", "SKU")))
                @for (name, label) in &prices { (form.field(&Field::number(name, label))) }
            }
            (form.field(&Field::tick("managed", "Count its stock", true)))
        }
    };
    Ok(call.form_of(fields, &[Button::new("add-variant", "Add variant")]))
}

/// Adds a variant. Values that its options have not yet are added to them first.
pub(super) async fn add(call: &PageCall, form: &Form) -> Result<Next, Fault> {
    let product = super::one::product(call).await?;
    let (prices, mut chosen, mut unknown) = (typed_prices(form)?, Map::new(), Vec::new());
    for option in &product.options {
        let value = form.text(&format!("values[{}]", option.id)).to_owned();
        if value.is_empty() {
            return Err(Fault::invalid(format!("{} is empty", option.title)));
        }
        if !option.values.iter().any(|it| it.value == value) {
            unknown.push(json!({ "product_option_id": option.id, "add": [{ "value": value }] }));
        }
        chosen.insert(option.title.clone(), json!(value));
    }
    let title = chosen.values().filter_map(Value::as_str).collect::<Vec<_>>().join(" / ");
    let body = json!({
        "title": title,
        "sku": form.or_null("sku"),
        "options": chosen,
        "prices": prices,
        "manage_inventory": form.is_on("managed"),
    });
    let has_new_values = !unknown.is_empty();
    if has_new_values {
        set_options(call, &json!({ "update": unknown })).await?;
    }
    let made = call.api().post::<Value>(route(call).then("variants").with("fields", "id"), &body).await;
    made.map_err(|fault| match has_new_values {
        true => {
            let text = format!("{fault}. The new values of the options are there now, the variant is not.");
            Fault::of(fault.status().as_u16(), "refused", text)
        }
        false => fault,
    })?;
    Ok(saved(call))
}

/// Adds an option.
pub(super) async fn add_option(call: &PageCall, form: &Form) -> Result<Next, Fault> {
    let values: Vec<&str> =
        form.text("values").split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    let option = json!({ "title": form.text("title"), "values": values, "is_exclusive": true });
    set_options(call, &json!({ "add": [option] })).await?;
    Ok(saved(call))
}

async fn set_options(call: &PageCall, body: &Value) -> Result<(), Fault> {
    let address = route(call).then("options").then("batch").with("fields", "id");
    call.api().post::<Value>(address, body).await.map(drop)
}
