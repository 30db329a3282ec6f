//! What belongs to a product: the channels that sell it, its pictures, and where the catalogue has it.

use atoll_kernel::Fault;
use atoll_pages::{Address, Button, Field, Form, Markup, PageCall, hint, html, link, nothing};
use serde::Deserialize;
use serde_json::{Value, json};

use super::one::{Image, Product, route};
use crate::pages::named::{
    CATEGORIES, CHANNELS, COLLECTIONS, Named, SHIPPING_PROFILES, TAGS, TYPES, choices, named, options,
    options_or, refs,
};

fn ids(records: &[Named]) -> impl Iterator<Item = &str> {
    records.iter().map(|it| it.id.as_str())
}

/// The channels that sell it, each with the period in which it does; nothing where the shop has none.
pub(super) async fn channels(call: &PageCall, product: &Product) -> Result<Markup, Fault> {
    if !call.has("/channels") {
        return Ok(html! {});
    }
    let of = &product.sales_channels;
    let all = choices(call, CHANNELS, of).await?;
    let fields = [Field::boxes("channels", "Sold in", options(&all), ids(of))];
    let terms =
        |channel: &Named| Address::of("/channels").then(&channel.id).then("products").then(&product.id);
    Ok(html! {
        section class="card" {
            h2 { "Channels" }
            (call.form("channels", "Save channels", &fields))
            @if !of.is_empty() {
                h3 { "From when until when, and which variants" }
                ul { @for channel in of { li { (link(call, terms(channel), &channel.name)) } } }
            }
        }
    })
}

pub(super) fn with_channels(form: &Form, product: &Product) -> Value {
    json!({ "sales_channels": refs(form.change("channels").of(ids(&product.sales_channels))) })
}

/// Where the catalogue has it.
pub(super) async fn organisation(call: &PageCall, product: &Product) -> Result<Markup, Fault> {
    let Product { collection, kind, tags, categories, .. } = product;
    let collections = choices(call, COLLECTIONS, collection.as_slice()).await?;
    let types = choices(call, TYPES, kind.as_slice()).await?;
    let all_categories = choices(call, CATEGORIES, categories).await?;
    let all_tags = choices(call, TAGS, tags).await?;
    let of = |it: &Option<Named>| it.as_ref().map_or("", |it| it.id.as_str()).to_owned();
    let mut fields = vec![
        Field::choice("collection", "Collection", options_or("none", &collections)).value(of(collection)),
        Field::choice("type", "Type", options_or("none", &types)).value(of(kind)),
    ];
    if !all_categories.is_empty() {
        fields.push(Field::boxes("categories", "Categories", options(&all_categories), ids(categories)));
    }
    if !all_tags.is_empty() {
        fields.push(Field::boxes("tags", "Tags", options(&all_tags), ids(tags)));
    }
    fields.extend(shipping(call).await?);
    Ok(html! {
        section class="card" { h2 { "Organisation" } (call.form("organise", "Save organisation", &fields)) }
    })
}

/// How it is shipped; nothing where the shop runs without the module of shipping.
async fn shipping(call: &PageCall) -> Result<Option<Field<'static>>, Fault> {
    #[derive(Deserialize)]
    struct Shipped {
        shipping_profile: Option<Named>,
    }
    let profiles = named(call, SHIPPING_PROFILES).await?;
    if profiles.is_empty() {
        return Ok(None);
    }
    let address = route(call).with("fields", "id,shipping_profile.id,shipping_profile.name");
    let Shipped { shipping_profile } = call.api().one(address, "product").await?;
    let field = Field::choice("profile", "Shipping profile", options_or("none", &profiles))
        .value(shipping_profile.map_or_else(String::new, |it| it.id))
        .hint("Shipping options of this profile ship it; without one, any does.");
    Ok(Some(field))
}

pub(super) fn organised(form: &Form, product: &Product) -> Value {
    let mut body = json!({
        "collection_id": form.or_null("collection"),
        "type_id": form.or_null("type"),
        "categories": refs(form.change("categories").of(ids(&product.categories))),
        "tags": refs(form.change("tags").of(ids(&product.tags))),
    });
    if !form.nested("profile").is_null() {
        body["shipping_profile_id"] = form.or_null("profile");
    }
    body
}

/// The pictures in their order. The first one added is the one of lists, until another is chosen.
pub(super) fn pictures(call: &PageCall, product: &Product) -> Markup {
    let is_first = |url: &str| product.thumbnail.as_deref() == Some(url);
    let one = |index: usize, image: &Image| {
        let [show, remove] = ["show-picture", "remove-picture"].map(|it| format!("{it} {}", image.id));
        let called = format!("Picture {}", index + 1);
        let goes = "The product loses this picture. Remove it?";
        html! {
            (call.picture(Some(&image.url), "picture"))
            div class="buttons" {
                @if is_first(&image.url) { span class="hint" { "Shown in lists" } }
                @else { (call.button(Button::new(&show, "Show in lists").quiet().of(&called))) }
                (call.button(Button::danger(&remove, "Remove", goes).of(&called)))
            }
        }
    };
    let files = Field::line("file", "files", "Pictures from this device").required();
    let address = Field::line("url", "url", "Address of a picture").required();
    html! {
        section class="card" {
            h2 { "Pictures" }
            @if product.images.is_empty() { (nothing("It has no picture.")) }
            ul class="cards pictures" {
                @for (index, image) in product.images.iter().enumerate() {
                    li class="card" { (one(index, image)) }
                }
            }
            (call.form_with_files("upload", "Upload", &[files]))
            (call.form("add-picture", "Add picture", &[address]))
            (hint("These pages show pictures that are stored here; others are links."))
        }
    }
}

/// The pictures without this one; those that have an id keep what is known of them.
fn images<'a>(product: &'a Product, but: &'a str) -> impl Iterator<Item = Value> + 'a {
    let kept = product.images.iter().filter(move |it| it.id != but);
    kept.map(|it| json!({ "id": it.id, "url": it.url }))
}

pub(super) fn with_picture(form: &Form, product: &Product) -> Result<Value, Fault> {
    let url = form.text("url");
    let is_known = ["https://", "http://", "/"].iter().any(|it| url.starts_with(it));
    if !is_known {
        return Err(Fault::invalid("The address of a picture begins with `https://`"));
    }
    Ok(with_pictures(product, &[url.to_owned()]))
}

/// Stores the files of the form. Returns where they are served.
pub(super) async fn uploaded(call: &PageCall, form: &Form) -> Result<Vec<String>, Fault> {
    let files = form.upload().ok_or_else(|| Fault::invalid("No file was chosen"))?;
    call.api().upload(files).await
}

pub(super) fn with_pictures(product: &Product, urls: &[String]) -> Value {
    let all: Vec<Value> = images(product, "").chain(urls.iter().map(|it| json!({ "url": it }))).collect();
    let thumbnail = product.thumbnail.as_ref().or(urls.first());
    json!({ "images": all, "thumbnail": thumbnail })
}

fn url_of<'a>(product: &'a Product, id: &str) -> Option<&'a str> {
    product.images.iter().find(|it| it.id == id).map(|it| it.url.as_str())
}

/// With this picture in lists.
pub(super) fn shown_in_lists(form: &Form, product: &Product) -> Result<Value, Fault> {
    let url = url_of(product, form.of_id());
    let url = url.ok_or_else(|| Fault::not_found("The product has this picture no longer"))?;
    Ok(json!({ "thumbnail": url }))
}

/// Without this picture; the first one that is left takes its place in lists.
pub(super) fn without_picture(form: &Form, product: &Product) -> Value {
    let id = form.of_id();
    let left: Vec<Value> = images(product, id).collect();
    match url_of(product, id).is_some_and(|it| product.thumbnail.as_deref() == Some(it)) {
        true => json!({ "images": left, "thumbnail": left.first().map_or(&Value::Null, |it| &it["url"]) }),
        false => json!({ "images": left }),
    }
}
