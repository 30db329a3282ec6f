//! A new product, to something that can be bought in one step: texts, channels, options with their values,
//! prices and stock.

use atoll_kernel::Fault;
use atoll_pages::{Address, Blank, Button, Done, Field, Form, Next, Page, PageCall, admin_page, hint, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{state_field, typed_prices};
use crate::pages::{
    named::{CHANNELS, LOCATIONS, choices, options, refs},
    store::{currencies, price_names, store},
};

admin_page! {
    "/products/new" => ask, create;
}

/// How many variants one form makes: more come from the catalogue file.
const VARIANTS_MAX: usize = 100;

/// The only option of a product that has one variant, and its value: every variant has a value.
const ONLY_OPTION: (&str, &str) = ("Default option", "Default option value");
const ONLY_VARIANT: &str = "Default variant";

async fn ask(call: PageCall) -> Result<Page, Fault> {
    let store = store(&call).await?;
    let channels = choices(&call, CHANNELS, &[]).await?;
    let locations = choices(&call, LOCATIONS, &[]).await?;
    let prices = price_names(&currencies(&call).await?);
    let channel = store.default_sales_channel_id.as_deref();
    let fields = |form: &Blank<'_>| {
        html! {
            section class="card" {
                (form.field(&Field::text("title", "Title").required()))
                (form.field(&Field::area("description", "Description")))
                (form.field(&Field::text("handle", "Handle").hint("The name in addresses; empty: made of the title.")))
                (form.field(&Field::line("url", "picture", "Address of a picture")))
                (form.field(&state_field("published")))
                @if !channels.is_empty() {
                    (form.field(&Field::boxes("channels", "Channels that sell it", options(&channels), channel)))
                }
            }
            section class="card" {
                h2 { "Price and stock" }
                div class="fields" {
                    (form.field(&Field::text("sku", "SKU")))
                    @for (name, label) in &prices { (form.field(&Field::number(name, label))) }
                }
                (form.field(&Field::tick("managed", "Count its stock", true).hint("Without, it never runs out.")))
                @if locations.is_empty() {
                    (hint("There is no stock location yet: its stock can be entered once there is one."))
                } @else {
                    div class="fields" {
                        (form.field(&Field::number("stock", "In stock")))
                        (form.field(&Field::choice("location", "At", options(&locations))))
                    }
                }
            }
            section class="card" {
                h2 { "Options" }
                (form.field(&Field::area("options", "One per line; empty for a product of one kind")
                    .hint("As “Size: S, M, L”. Each combination of values is a variant with the price and stock above.")))
            }
        }
    };
    let body = call.form_of(fields, &[Button::new("create", "Create product")]);
    Ok(Page::new("New product", body).below("/products", "Products"))
}

/// An option with its values.
struct NewOption<'a> {
    title: &'a str,
    values: Vec<&'a str>,
}

/// Reads options, one per line: `Size: S, M, L`.
fn read_options(text: &str) -> Result<Vec<NewOption<'_>>, Fault> {
    let mut options = Vec::new();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let (title, values) = line.split_once(':').unwrap_or((line, ""));
        let values: Vec<&str> = values.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
        if title.trim().is_empty() || values.is_empty() {
            return Err(Fault::invalid(format!("`{line}` is not an option: write it as “Size: S, M, L”")));
        }
        options.push(NewOption { title: title.trim(), values });
    }
    if options.is_empty() {
        options.push(NewOption { title: ONLY_OPTION.0, values: vec![ONLY_OPTION.1] });
    }
    Ok(options)
}

/// Each combination of a value of each option.
fn combinations<'a>(options: &[NewOption<'a>]) -> Result<Vec<Vec<&'a str>>, Fault> {
    let count = options.iter().try_fold(1_usize, |n, it| n.checked_mul(it.values.len()));
    if count.is_none_or(|n| n > VARIANTS_MAX) {
        return Err(Fault::invalid(format!("These are more than {VARIANTS_MAX} variants")));
    }
    let mut all = vec![Vec::new()];
    for option in options {
        let with_each = |done: &Vec<&'a str>| {
            option.values.iter().map(|it| [&done[..], &[*it]].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(with_each).collect();
    }
    Ok(all)
}

/// The variants, as bodies have them. With several, the SKU of each ends with its values.
fn variants(form: &Form, options: &[NewOption<'_>]) -> Result<Vec<Value>, Fault> {
    let (combinations, prices) = (combinations(options)?, typed_prices(form)?);
    let (sku, is_only) = (form.text("sku"), form.text("options").is_empty());
    let variant = |values: &Vec<&str>| {
        let chosen: Map<String, Value> =
            options.iter().zip(values).map(|(option, it)| (option.title.to_owned(), json!(it))).collect();
        let title = if is_only { ONLY_VARIANT.to_owned() } else { values.join(" / ") };
        let sku = match (sku, is_only) {
            ("", _) => Value::Null,
            (sku, true) => json!(sku),
            (sku, false) => json!(format!("{sku}-{}", values.join("-")).replace(' ', "-")),
        };
        json!({
            "title": title, "sku": sku, "options": chosen, "prices": prices,
            "manage_inventory": form.is_on("managed"),
        })
    };
    Ok(combinations.iter().map(variant).collect())
}

#[derive(Deserialize)]
struct Created {
    id: String,
    variants: Vec<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    inventory_items: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    inventory_item_id: String,
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let options = read_options(form.text("options"))?;
    let stock = form.number("stock")?;
    if stock.as_f64().is_some_and(|it| it < 0.0) {
        return Err(Fault::invalid("There cannot be less than nothing in stock"));
    }
    let picture = form.or_null("picture");
    let images: Vec<Value> = picture.as_str().map(|url| json!({ "url": url })).into_iter().collect();
    let body = json!({
        "title": form.text("title"),
        "handle": form.or_null("handle"),
        "description": form.or_null("description"),
        "status": form.text("status"),
        "thumbnail": picture,
        "images": images,
        "sales_channels": refs(form.all("channels")),
        "options": options
            .iter()
            .map(|it| json!({ "title": it.title, "values": it.values }))
            .collect::<Vec<_>>(),
        "variants": variants(&form, &options)?,
    });
    let address =
        Address::of("/admin/products").with("fields", "id,variants.inventory_items.inventory_item_id");
    #[derive(Deserialize)]
    struct Answer {
        product: Created,
    }
    let Answer { product } = call.api().post(address, &body).await?;
    let is_stocked = form.is_on("managed") && !form.text("location").is_empty() && !stock.is_null();
    let stocked = match is_stocked {
        true => put_in_stock(&call, &product, form.text("location"), &stock).await,
        false => Ok(()),
    };
    Ok(Next::to(Address::of("/products").then(&product.id), Done::Created.with(&stocked)))
}

/// Stocks all variants of a new product at a location.
async fn put_in_stock(
    call: &PageCall,
    product: &Created,
    location: &str,
    stock: &Value,
) -> Result<(), Fault> {
    let items = product.variants.iter().flat_map(|it| &it.inventory_items);
    let level = |it: &Part| {
        let item = &it.inventory_item_id;
        json!({ "inventory_item_id": item, "location_id": location, "stocked_quantity": stock })
    };
    let levels: Vec<Value> = items.map(level).collect();
    call.api()
        .post::<Value>("/admin/inventory-items/location-levels/batch", &json!({ "create": levels }))
        .await
        .map(drop)
}
