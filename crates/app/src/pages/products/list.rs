//! The list of products, with its filters.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Field, Markup, Page, PageCall, Records, admin_page, html, link, nothing, pager, table,
};
use serde::Deserialize;

use super::{STATES, state};
use crate::pages::named::{
    CATEGORIES, CHANNELS, COLLECTIONS, Named, NamedList, TAGS, TYPES, choices, options_or,
};

admin_page! {
    "/products" as "Products" in Catalogue 10 => show;
}

const FIELDS: &str =
    "id,title,thumbnail,status,collection.id,collection.title,sales_channels.id,sales_channels.name";

/// Products on one page of the list.
const LIST_PAGE: usize = 25;

/// Names of channels that a row shows.
const CHANNELS_SHOWN_MAX: usize = 3;

/// The filters by another list: parameter, label, and list.
const FILTERS: [(&str, &str, NamedList); 5] = [
    ("collection_id", "Collection", COLLECTIONS),
    ("category_id", "Category", CATEGORIES),
    ("tag_id", "Tag", TAGS),
    ("type_id", "Type", TYPES),
    ("sales_channel_id", "Channel", CHANNELS),
];

#[derive(Deserialize)]
struct Product {
    id: String,
    title: String,
    thumbnail: Option<String>,
    status: String,
    collection: Option<Named>,
    #[serde(default)]
    sales_channels: Vec<Named>,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let mut address = Address::of("/admin/products")
        .with("fields", FIELDS)
        .with("order", "-created_at")
        .with("q", call.query("q"))
        .with("status", call.query("status"))
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    for (name, ..) in FILTERS {
        address = address.with(name, call.query(name));
    }
    let products: Records<Product> = call.api().list(address, "products").await?;
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/products/new")) { "New product" } }
        (filters(&call).await?)
        @if products.records.is_empty() { (nothing("There is no such product.")) }
        @else {
            (table(
                &["Product", "Status", "Collection", "Channels"],
                products.records.iter().map(|it| row(&call, it)),
            ))
        }
        (pager(&call, &products))
    };
    Ok(Page::new("Products", body))
}

fn row(call: &PageCall, product: &Product) -> Vec<Markup> {
    let names: Vec<&str> = product.sales_channels.iter().map(|it| it.name.as_str()).collect();
    let n_more = names.len().saturating_sub(CHANNELS_SHOWN_MAX);
    vec![
        html! {
            span class="named" {
                (call.picture(product.thumbnail.as_deref(), "thumb"))
                (link(call, Address::of("/products").then(&product.id), &product.title))
            }
        },
        state(&product.status),
        html! { (product.collection.as_ref().map_or("–", |it| &it.name)) },
        html! {
            @if names.is_empty() { "–" }
            (names[..names.len() - n_more].join(", "))
            @if n_more > 0 { " and " (n_more) " more" }
        },
    ]
}

/// The form that narrows the list. A list of which the shop has none is left out.
async fn filters(call: &PageCall) -> Result<Markup, Fault> {
    let mut lists = Vec::new();
    for (name, label, list) in FILTERS {
        let (records, chosen) = (choices(call, list, &[]).await?, call.query(name));
        if !records.is_empty() || !chosen.is_empty() {
            lists.push(Field::choice(name, label, options_or("any", &records)).value(chosen));
        }
    }
    let mut states = vec![("", "any")];
    states.extend(STATES.map(|(word, label, _)| (word, label)));
    let fields = html! {
        div class="fields" {
            (Field::line("search", "q", "Search").value(call.query("q")))
            (Field::choice("status", "Status", states).value(call.query("status")))
            @for field in &lists { (field) }
        }
        p class="buttons" {
            button { "Search" }
            a class="button quiet" href=(call.to("/products")) { "Show all" }
        }
    };
    Ok(html! { section class="card" { (call.search_of("/products", fields)) } })
}
