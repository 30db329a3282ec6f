//! Tax regions, countries and their provinces, with their rates.

use atoll_kernel::{Decimal, Fault, part_of};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge, hint, html,
    link, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

part_of! { "tax" }

admin_page! {
    "/tax" as "Tax" in Settings 50 => list, create;
    "/tax/:id" => show, change;
}

/// A tax region, as these pages show it.
#[derive(Deserialize)]
struct Region {
    id: String,
    country_code: String,
    province_code: Option<String>,
    #[serde(default)]
    tax_rates: Vec<Rate>,
    #[serde(default)]
    children: Vec<Province>,
    parent: Option<Province>,
}

/// A province of a tax region, or the country of a province.
#[derive(Deserialize)]
struct Province {
    id: String,
    country_code: String,
    province_code: Option<String>,
}

#[derive(Deserialize)]
struct Rate {
    id: String,
    name: String,
    code: String,
    /// In percent.
    rate: Option<Decimal>,
    is_default: bool,
    #[serde(default)]
    rules: Vec<Value>,
}

const FIELDS: &str = "id,country_code,province_code,tax_rates.id,tax_rates.name,tax_rates.code,\
     tax_rates.rate,tax_rates.is_default,tax_rates.rules.id,children.id,children.country_code,\
     children.province_code,parent.id,parent.country_code,parent.province_code";

/// Tax regions on one page of the list.
const LIST_PAGE: usize = 30;

/// What a country or province is called: `DE`, or `US-CA`.
fn called(country: &str, province: Option<&str>) -> String {
    let province = province.unwrap_or_default();
    let province = province.strip_prefix(&format!("{country}-")).unwrap_or(province);
    let parts = [country, province].into_iter().filter(|it| !it.is_empty());
    parts.map(str::to_uppercase).collect::<Vec<_>>().join("-")
}

impl Rate {
    fn percent(&self) -> String {
        self.rate.map_or_else(|| "–".to_owned(), |it| format!("{it} %"))
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/tax-regions")
        .with("fields", FIELDS)
        .with("parent_id", "null")
        .with("order", "country_code")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let regions: Records<Region> = call.api().list(address, "tax_regions").await?;
    let rows = regions.records.iter().map(|it| {
        let rates = it.tax_rates.iter().map(|it| format!("{} {}", it.name, it.percent()));
        vec![
            link(&call, Address::of("/tax").then(&it.id), called(&it.country_code, None)),
            html! { (rates.collect::<Vec<_>>().join(", ")) },
            html! { (it.children.len()) },
        ]
    });
    let body = html! {
        @if regions.records.is_empty() { (nothing("No country is taxed yet.")) }
        @else { (table(&["Country", "Rates", "Provinces"], rows)) }
        (pager(&call, &regions))
        section class="card" { h2 { "New country" } (new_region(&call, "Country", "Its code of two letters: DE.")) }
    };
    Ok(Page::new("Tax", body))
}

/// The form for a country or a province with its rate.
fn new_region(call: &PageCall, what: &str, hint: &str) -> Markup {
    let place = Field::text("place", what).hint(hint).required();
    call.form_of(
        |form| html! { (form.field(&place)) (form.fields(&rate_fields(None))) },
        &[Button::new("create", "Create")],
    )
}

/// The fields of a rate.
fn rate_fields<'a>(rate: Option<&Rate>) -> [Field<'a>; 3] {
    let percent = rate.and_then(|it| it.rate).map_or_else(String::new, |it| it.to_string());
    [
        Field::text("name", "Name of the tax").value(rate.map_or("", |it| &it.name)).required(),
        Field::text("code", "Code for bookkeeping").value(rate.map_or("", |it| &it.code)).required(),
        Field::number("rate", "Percent").value(percent).required(),
    ]
}

/// The rate that a form describes.
fn rate(form: &Form) -> Result<Value, Fault> {
    Ok(json!({ "name": form.text("name"), "code": form.text("code"), "rate": form.number("rate")? }))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let body = json!({
        "country_code": form.text("place").to_lowercase(),
        "provider_id": "tp_system",
        "default_tax_rate": rate(&form)?,
    });
    created(&call, &body).await
}

async fn created(call: &PageCall, body: &Value) -> Result<Next, Fault> {
    let answer: Value = call.api().post("/admin/tax-regions", body).await?;
    let id = answer["tax_region"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/tax").then(id), Done::Created))
}

async fn region(call: &PageCall) -> Result<Region, Fault> {
    let address = Address::of("/admin/tax-regions").then(call.path("id")).with("fields", FIELDS);
    call.api().one(address, "tax_region").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let region = region(&call).await?;
    let rows = region.tax_rates.iter().map(|it| row(&call, it));
    let body = html! {
        section class="card" {
            h2 { "Rates" }
            @if region.tax_rates.is_empty() { (nothing("No rate: nothing is taxed here.")) }
            @else { (table(&["Name", "Percent", "For", "Actions"], rows)) }
            @if region.tax_rates.iter().all(|it| !it.is_default) { (call.form("add", "Add the rate", &rate_fields(None))) }
        }
        @if region.parent.is_none() {
            section class="card" {
                h2 { "Provinces" }
                ul {
                    @for it in &region.children {
                        @let name = called(&it.country_code, it.province_code.as_deref());
                        li { (link(&call, Address::of("/tax").then(&it.id), name)) }
                    }
                }
                details open[call.is_refused("create")] {
                    summary { "New province" }
                    (new_region(&call, "Province", "Its code: US-CA."))
                }
            }
        }
        section class="card" {
            (call.button(Button::danger("delete", "Delete", "Its rates and provinces are deleted with it. Delete it?")))
        }
    };
    let title = called(&region.country_code, region.province_code.as_deref());
    let page = Page::new(format!("Tax in {title}"), body).below("/tax", "Tax");
    Ok(match &region.parent {
        Some(it) => page.below(Address::of("/tax").then(&it.id), called(&it.country_code, None)),
        None => page,
    })
}

fn row(call: &PageCall, rate: &Rate) -> Vec<Markup> {
    let [save, remove] = ["save", "remove"].map(|it| format!("{it} {}", rate.id));
    vec![
        html! { (rate.name) " " code { (rate.code) } },
        html! { (rate.percent()) },
        html! {
            @if rate.is_default { (badge("good", "Everything else")) }
            @else { "Rules: " (rate.rules.len()) }
        },
        html! {
            details open[call.is_refused(&save)] {
                summary aria-label=(format!("Change: {}", rate.name)) { "Change" }
                (call.form_of(|form| form.fields(&rate_fields(Some(rate))), &[Button::new(&save, "Save").of(&rate.name)]))
                (call.button(Button::danger(&remove, "Delete", "Delete the rate?").of(&rate.name)))
                @if !rate.is_default { (hint("What it is for is set by the API.")) }
            }
        },
    ]
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let rates = || Address::of("/admin/tax-rates");
    match form.action() {
        "create" => {
            let country = region(&call).await?;
            let body = json!({
                "country_code": country.country_code,
                "province_code": form.text("place").to_lowercase(),
                "parent_id": country.id,
                "default_tax_rate": rate(&form)?,
            });
            return created(&call, &body).await;
        }
        "add" => {
            let mut body = rate(&form)?;
            body["tax_region_id"] = call.path("id").into();
            body["is_default"] = true.into();
            call.api().post::<Value>(rates(), &body).await.map(drop)?;
        }
        "save" => call.api().post::<Value>(rates().then(form.of_id()), &rate(&form)?).await.map(drop)?,
        "remove" => call.api().delete(rates().then(form.of_id())).await?,
        "delete" => {
            call.api().delete(Address::of("/admin/tax-regions").then(call.path("id"))).await?;
            return Ok(Next::to("/tax", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(Next::to(Address::of("/tax").then(call.path("id")), Done::Saved))
}
