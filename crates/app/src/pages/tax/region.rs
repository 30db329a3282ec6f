//! The page of a tax region: its rates, what each is for, and its provinces.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Blank, Button, Done, Field, Form, Markup, Next, Page, PageCall, admin_page, badge, html, link,
    nothing, table,
};
use serde_json::{Value, json};

use super::{
    FIELDS, Rate, Region, called, created,
    goods::{self, Choices, Names},
    new_region, rate, rate_fields,
};
use crate::pages::deletion::deletion;

admin_page! {
    "/tax/:id" => show, change;
}

async fn region(call: &PageCall) -> Result<Region, Fault> {
    let address = Address::of("/admin/tax-regions").then(call.path("id")).with("fields", FIELDS);
    call.api().one(address, "tax_region").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let region = region(&call).await?;
    let names = Names::of(&call, region.tax_rates.iter().flat_map(|it| &it.rules)).await?;
    let choices = Choices::of(&call).await?;
    let rows = region.tax_rates.iter().map(|it| row(&call, &region, it, &names, &choices));
    let has_default = region.tax_rates.iter().any(|it| it.is_default);
    let body = html! {
        section class="card" {
            h2 { "Rates" }
            @if region.tax_rates.is_empty() { (nothing("No rate: nothing is taxed here.")) }
            @else { (table(&["Name", "Percent", "For", "Actions"], rows)) }
            @if !has_default { (form(&call, &region, None, "add", "Add the rate")) }
            (call.fold("Another rate for certain goods", &["add-for"], another(&call, &region, &choices)))
        }
        @if region.parent.is_none() { (provinces(&call, &region)) }
        (deletion(&call, &html! {}, "Delete the tax region", "Its rates and provinces are deleted with it. Delete it?"))
    };
    let title = called(&region.country_code, region.province_code.as_deref());
    let page = Page::new(format!("Tax in {title}"), body).below("/tax", "Tax");
    Ok(match &region.parent {
        Some(it) => page.below(Address::of("/tax").then(&it.id), called(&it.country_code, None)),
        None => page,
    })
}

fn provinces(call: &PageCall, region: &Region) -> Markup {
    html! {
        section class="card" {
            h2 { "Provinces" }
            ul {
                @for it in &region.children {
                    @let name = called(&it.country_code, it.province_code.as_deref());
                    li { (link(call, Address::of("/tax").then(&it.id), name)) }
                }
            }
            (call.fold("New province", &["create"], new_region(call, "Province", "Its code: US-CA.")))
        }
    }
}

/// What the form of a rate of this region asks for.
fn fields<'a>(region: &Region, rate: Option<&Rate>) -> Vec<Field<'a>> {
    let mut fields: Vec<Field<'a>> = rate_fields(rate).into();
    if region.parent.is_some() {
        let is_added = rate.is_some_and(|it| it.is_combinable);
        fields.push(Field::tick("combinable", "The rate of the country is added", is_added));
    }
    fields
}

fn form(call: &PageCall, region: &Region, rate: Option<&Rate>, action: &str, label: &str) -> Markup {
    let button = Button::new(action, label);
    let button = if let Some(rate) = rate { button.of(&rate.name) } else { button };
    call.form_of(|form| form.fields(&fields(region, rate)), &[button])
}

/// The form of a rate that is for certain goods.
fn another(call: &PageCall, region: &Region, choices: &Choices) -> Markup {
    let shown = |form: &Blank<'_>| html! { (form.fields(&fields(region, None))) (choices.shown(form)) };
    call.form_of(shown, &[Button::new("add-for", "Add the rate")])
}

fn row(call: &PageCall, region: &Region, rate: &Rate, names: &Names, choices: &Choices) -> Vec<Markup> {
    let [save, remove, widen] = ["save", "remove", "widen"].map(|it| format!("{it} {}", rate.id));
    let actions = html! {
        (form(call, region, Some(rate), &save, "Save"))
        @if !rate.is_default {
            (call.form_of(|form| choices.shown(form), &[Button::new(&widen, "Add what it is for").of(&rate.name)]))
        }
        (call.button(Button::danger(&remove, "Delete", "Delete the rate?").of(&rate.name)))
    };
    let summary = html! { "Change" span class="unseen" { ": " (rate.name) } };
    vec![
        html! { (rate.name) " " code { (rate.code) } },
        html! { (rate.percent()) @if rate.is_combinable { " " span class="hint" { "and that of the country" } } },
        html! {
            @if rate.is_default { (badge("good", "Everything else")) }
            @else if rate.rules.is_empty() { (badge("warn", "Nothing")) }
            @else { (goods::shown(call, rate, names)) }
        },
        call.fold(summary, &[&save, &widen], actions),
    ]
}

/// The rate that a form describes.
fn described(form: &Form, region: &Region) -> Result<Value, Fault> {
    let mut body = rate(form)?;
    if region.parent.is_some() {
        body["is_combinable"] = form.is_on("combinable").into();
    }
    Ok(body)
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
        action @ ("add" | "add-for") => {
            let mut body = described(&form, &region(&call).await?)?;
            body["tax_region_id"] = call.path("id").into();
            body["is_default"] = (action == "add").into();
            if action == "add-for" {
                body["rules"] = json!(goods::typed(&call, &form).await?);
            }
            call.api().post::<Value>(rates(), &body).await.map(drop)?;
        }
        "save" => {
            let body = described(&form, &region(&call).await?)?;
            call.api().post::<Value>(rates().then(form.of_id()), &body).await.map(drop)?;
        }
        "widen" => return goods::widen(&call, &form).await.map(|done| saved(&call, done)),
        "narrow" => {
            let (rate, rule) = form.of_id().split_once(' ').unwrap_or_default();
            call.api().delete(rates().then(rate).then("rules").then(rule)).await?;
        }
        "remove" => call.api().delete(rates().then(form.of_id())).await?,
        "delete" => {
            call.api().delete(Address::of("/admin/tax-regions").then(call.path("id"))).await?;
            return Ok(Next::to("/tax", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(saved(&call, Done::Saved))
}

fn saved(call: &PageCall, done: Done) -> Next {
    Next::to(Address::of("/tax").then(call.path("id")), done)
}
