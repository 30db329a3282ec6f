//! Tax regions, countries and their provinces: the list, and what their forms ask for. `region.rs` is the
//! page of one, `goods.rs` says what a rate is for.

mod goods;
mod region;

use atoll_kernel::{Decimal, Fault, part_of};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, html, link,
    nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::goods::Rule;

part_of! { "tax" }

admin_page! {
    "/tax" as "Tax" in Settings 50 => list, create;
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
    is_combinable: bool,
    #[serde(default)]
    rules: Vec<Rule>,
}

const FIELDS: &str = "id,country_code,province_code,tax_rates.id,tax_rates.name,tax_rates.code,\
     tax_rates.rate,tax_rates.is_default,tax_rates.is_combinable,tax_rates.rules.id,\
     tax_rates.rules.reference,tax_rates.rules.reference_id,children.id,children.country_code,\
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
