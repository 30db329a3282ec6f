//! Regions, with their currency, countries and payment providers.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, Seen, admin_page, badge, hint,
    html, link, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{named::provider_name, store::store};

admin_page! {
    "/regions" as "Regions" in Settings 20 => list;
    "/regions/new" => ask_new, create;
    "/regions/:id" => show, change;
}

/// A region, as these pages show it.
#[derive(Deserialize)]
struct Region {
    id: String,
    name: String,
    currency_code: String,
    automatic_taxes: bool,
    #[serde(default)]
    countries: Vec<Country>,
    #[serde(default)]
    payment_providers: Vec<Provider>,
}

#[derive(Deserialize)]
struct Country {
    iso_2: String,
    display_name: String,
}

#[derive(Deserialize)]
struct Provider {
    id: String,
}

const FIELDS: &str = "id,name,currency_code,automatic_taxes,countries.iso_2,countries.display_name,\
     payment_providers.id";

/// Regions on one page of the list.
const LIST_PAGE: usize = 30;

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/regions")
        .with("fields", FIELDS)
        .with("order", "name")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let regions: Records<Region> = call.api().list(address, "regions").await?;
    let rows = regions.records.iter().map(|region| {
        vec![
            link(&call, Address::of("/regions").then(&region.id), &region.name),
            html! { (region.currency_code.to_uppercase()) },
            html! { (joined(region.countries.iter().map(|it| &*it.display_name))) },
            ways_to_pay(region),
        ]
    });
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/regions/new")) { "New region" } }
        @if regions.records.is_empty() {
            (nothing("No region yet: it says in which currency which countries pay."))
        } @else { (table(&["Name", "Currency", "Countries", "Ways to pay"], rows)) }
        (pager(&call, &regions))
        p { "Which currencies there are, the " (link(&call, "/store", "store")) " says." }
    };
    Ok(Page::new("Regions", body))
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() { "–".into() } else { texts.join(", ") }
}

fn ways_to_pay(region: &Region) -> Markup {
    let names: Vec<_> = region.payment_providers.iter().map(|it| provider_name(&it.id)).collect();
    html! { @if names.is_empty() { (badge("warn", "None")) } @else { (names.join(", ")) } }
}

async fn fields<'a>(call: &PageCall, region: Option<&Region>) -> Result<Vec<Field<'a>>, Fault> {
    let used = store(call).await?.supported_currencies;
    let options = used.iter().map(|it| (it.currency_code.clone(), it.currency.label()));
    let default = used.iter().find(|it| it.is_default).map_or("", |it| &*it.currency_code);
    let address = Address::of("/admin/payments/payment-providers").with("limit", 50);
    let providers: Records<Provider> = call.api().list(address, "payment_providers").await?;
    let providers = providers.records.into_iter().map(|it| (it.id.clone(), provider_name(&it.id)));
    let ticked = region.into_iter().flat_map(|it| &it.payment_providers).map(|it| it.id.clone());
    let countries = region.map_or(String::new(), |it| {
        it.countries.iter().map(|it| it.iso_2.to_uppercase()).collect::<Vec<_>>().join(" ")
    });
    Ok(vec![
        Field::text("name", "Name").value(region.map_or("", |it| &*it.name)).required(),
        Field::choice("currency_code", "Currency", options)
            .value(region.map_or(default, |it| &*it.currency_code)),
        Field::text("countries", "Countries")
            .value(countries)
            .hint("Their codes of two letters: DE AT CH. A country is in one region."),
        Field::boxes("payment_providers", "Ways to pay", providers, ticked),
        Field::tick("automatic_taxes", "Calculate taxes", region.is_none_or(|it| it.automatic_taxes)),
    ])
}

/// The region that a form describes, as the API takes it, with the providers that it had before.
fn described(form: &Form, before: &[Provider]) -> Value {
    let countries = form.text("countries").split(|it: char| !it.is_alphanumeric());
    let countries: Vec<_> = countries.filter(|it| !it.is_empty()).map(str::to_lowercase).collect();
    json!({
        "name": form.text("name"),
        "currency_code": form.text("currency_code"),
        "countries": countries,
        "payment_providers": form.change("payment_providers").of(before.iter().map(|it| &*it.id)),
        "automatic_taxes": form.is_on("automatic_taxes"),
    })
}

async fn ask_new(call: PageCall) -> Result<Page, Fault> {
    let form = call.form("create", "Create", &fields(&call, None).await?);
    let body = html! {
        section class="card" {
            (hint("Buyers of its countries pay in its currency, by its ways to pay."))
            (form)
        }
    };
    Ok(Page::new("New region", body).below("/regions", "Regions"))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let answer: Value = call.api().post("/admin/regions", &described(&form, &[])).await?;
    let id = answer["region"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/regions").then(id), Done::Created))
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/regions").then(call.path("id"))
}

async fn region(call: &PageCall) -> Result<(Region, Seen), Fault> {
    call.api().seen(route(call).with("fields", FIELDS), "region").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let (region, seen) = region(&call).await?;
    let asked = fields(&call, Some(&region)).await?;
    let countries = joined(region.countries.iter().map(|it| &*it.display_name));
    let goes = "Its countries are free for another region, and nobody can buy there until then. Delete it?";
    let body = html! {
        section class="card" {
            p { "Sells to: " (countries) }
            (call.form_of_seen(&seen, "save", "Save", &asked))
        }
        section class="card" { (call.button(Button::danger("delete", "Delete the region", goes))) }
    };
    Ok(Page::new(region.name, body).below("/regions", "Regions"))
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "save" => {
            let (before, now) = region(&call).await?;
            let body = described(&form, &before.payment_providers);
            call.api().save(&form, &now, &body).await?;
        }
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/regions", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(Next::to(Address::of("/regions").then(call.path("id")), Done::Saved))
}
