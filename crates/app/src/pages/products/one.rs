//! The page of a product: its texts and state, and what its forms do.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, PageOf, admin_page, html, link, widgets,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{parts, state, state_field, variants};
use crate::pages::deletion::deletion;
use crate::pages::named::Named;

admin_page! {
    "/products/:id" => show, change;
}

/// A product, as its page shows it.
#[derive(Deserialize)]
pub(super) struct Product {
    pub id: String,
    pub title: String,
    pub subtitle: Option<String>,
    pub description: Option<String>,
    pub handle: String,
    pub status: String,
    pub thumbnail: Option<String>,
    pub collection: Option<Named>,
    #[serde(rename = "type")]
    pub kind: Option<Named>,
    #[serde(default)]
    pub tags: Vec<Named>,
    #[serde(default)]
    pub categories: Vec<Named>,
    #[serde(default)]
    pub images: Vec<Image>,
    #[serde(default)]
    pub options: Vec<ProductOption>,
    #[serde(default)]
    pub sales_channels: Vec<Named>,
}

#[derive(Deserialize)]
pub(super) struct Image {
    pub id: String,
    pub url: String,
}

#[derive(Deserialize)]
pub(super) struct ProductOption {
    pub id: String,
    pub title: String,
    #[serde(default)]
    pub values: Vec<OptionValue>,
}

#[derive(Deserialize)]
pub(super) struct OptionValue {
    pub value: String,
}

const FIELDS: &str = "id,title,subtitle,description,handle,status,thumbnail,collection.id,collection.title,\
     type.id,type.value,tags.id,tags.value,categories.id,categories.name,images.id,images.url,options.id,\
     options.title,options.values.value,sales_channels.id,sales_channels.name";

/// The route of the product of this page.
pub(super) fn route(call: &PageCall) -> Address {
    Address::of("/admin/products").then(call.path("id"))
}

pub(super) async fn product(call: &PageCall) -> Result<Product, Fault> {
    call.api().one(route(call).with("fields", FIELDS), "product").await
}

/// Changes a list of the product as a whole: refused if others change the product at the same time.
async fn change_list(call: &PageCall, form: &Form) -> Result<Next, Fault> {
    // They may take a while to arrive.
    let uploaded = if form.action() == "upload" { parts::uploaded(call, form).await? } else { Vec::new() };
    let (product, now) = call.api().seen::<Product>(route(call).with("fields", FIELDS), "product").await?;
    let body = match form.action() {
        "channels" => parts::with_channels(form, &product),
        "organise" => parts::organised(form, &product),
        "add-picture" => parts::with_picture(form, &product)?,
        "show-picture" => parts::shown_in_lists(form, &product)?,
        "remove-picture" => parts::without_picture(form, &product),
        "upload" => parts::with_pictures(&product, &uploaded),
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().save(form, &now, &body).await?;
    Ok(saved(call))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let product = product(&call).await?;
    let variants = variants::section(&call, &product).await?;
    let body = html! {
        (summary(&call, &product))
        (parts::channels(&call, &product).await?)
        (variants)
        (texts(&call, &product))
        (parts::pictures(&call, &product))
        (parts::organisation(&call, &product).await?)
        (widgets(&call, PageOf::Product, &product.id).await)
        (farewell(&call, &product))
    };
    Ok(Page::new(product.title, body).below("/products", "Products"))
}

fn summary(call: &PageCall, product: &Product) -> Markup {
    let (switch, label) =
        if product.status == "published" { ("unpublish", "Unpublish") } else { ("publish", "Publish") };
    let why = Address::of("/why").with("q", &product.title);
    html! {
        section class="card" {
            div class="buttons" {
                (call.picture(product.thumbnail.as_deref(), "thumb"))
                (state(&product.status))
                (call.button(Button::new(switch, label)))
                @if call.has("/why") { (link(call, why, "Is it on sale?")) }
            }
        }
    }
}

fn texts(call: &PageCall, product: &Product) -> Markup {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let fields = [
        Field::text("title", "Title").value(&product.title).required(),
        Field::text("subtitle", "Subtitle").value(text(&product.subtitle)),
        Field::area("description", "Description").value(text(&product.description)),
        Field::text("handle", "Handle")
            .value(&product.handle)
            .hint("The name in addresses; empty: made of the title. Links to the old one lead nowhere."),
        state_field(&product.status),
    ];
    html! { section class="card" { h2 { "Texts" } (call.form("save", "Save", &fields)) } }
}

/// The button that deletes, after what it does.
fn farewell(call: &PageCall, product: &Product) -> Markup {
    let n_channels = product.sales_channels.len();
    let goes = "Delete the product, its variants and their stock?";
    html! {
        @let known = html! {
            p {
                "It leaves " (n_channels) @if n_channels == 1 { " channel" } @else { " channels" }
                ", its variants and their stock go with it, and carts that hold it cannot be bought. "
                "Orders keep it. While stock of it is reserved for orders, it is not deleted."
            }
        };
        (deletion(call, &known, "Delete product", goes))
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let body = match form.action() {
        "publish" => json!({ "status": "published" }),
        "unpublish" => json!({ "status": "draft" }),
        "save" => json!({
            "title": form.text("title"),
            "subtitle": form.or_null("subtitle"),
            "description": form.or_null("description"),
            "handle": form.text("handle"),
            "status": form.text("status"),
        }),
        "add-variant" => return variants::add(&call, &form).await,
        "add-option" => return variants::add_option(&call, &form).await,
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/products", Done::Deleted));
        }
        _ => return change_list(&call, &form).await,
    };
    call.api().post::<Value>(route(&call).with("fields", "id"), &body).await?;
    Ok(saved(&call))
}

/// Back to the product, which was changed.
pub(super) fn saved(call: &PageCall) -> Next {
    Next::to(Address::of("/products").then(call.path("id")), Done::Saved)
}
