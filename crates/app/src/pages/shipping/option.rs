//! The page of a shipping option: its prices, and who may choose it for which goods.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Done, Field, Form, Markup, Next, Page, PageCall, Seen, admin_page, facts, hint, html,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BY_BUYERS, FOR_RETURNS, Offer, Rule, answers, prices, rules, zone::zone_link};
use crate::pages::{
    deletion::deletion,
    named::{Named, REGIONS, SHIPPING_PROFILES, SHIPPING_TYPES, choices, named, options, provider_name},
    store::currencies,
};

admin_page! {
    "/shipping/options/:id" => show, change;
}

/// What the page shows of an option besides what lists do.
#[derive(Deserialize)]
struct More {
    provider_id: String,
    shipping_profile: Option<Named>,
    #[serde(rename = "type")]
    kind: Option<Named>,
    service_zone: Option<InSet>,
}

#[derive(Deserialize)]
struct InSet {
    id: String,
    name: String,
    fulfillment_set_id: String,
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/shipping-options").then(call.path("id"))
}

const FIELDS: &str = "id,name,price_type,provider_id,prices,*rules,shipping_profile.id,shipping_profile.name,\
     type.id,type.label,service_zone.id,service_zone.name,service_zone.fulfillment_set_id";

/// The option of the page.
async fn option(call: &PageCall) -> Result<(Offer, More, Seen), Fault> {
    let (record, seen): (Value, Seen) =
        call.api().seen(route(call).with("fields", FIELDS), "shipping_option").await?;
    let offer = Offer::deserialize(&record).map_err(Fault::unexpected)?;
    Ok((offer, More::deserialize(&record).map_err(Fault::unexpected)?, seen))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let (offer, more, seen) = option(&call).await?;
    let regions = named(&call, REGIONS).await?;
    let currencies = currencies(&call).await?;
    let body = html! {
        section class="card" { (summary(&call, &offer, &more, &regions)) }
        section class="card" {
            h2 { "Prices" }
            @if offer.price_type == "calculated" {
                (hint("The carrier says for each cart what it costs."))
            } @else {
                (prices::forms(&call, &offer.prices, &seen, &currencies, &regions))
            }
        }
        section class="card" { h2 { "Further rules" } (rules::shown(&call, &offer.rules)) }
        section class="card" { h2 { "Option" } (settings(&call, &offer, &more, &seen).await?) }
        (deletion(&call, &html! {}, "Delete the option", "Its prices go with it. Delete the option?"))
    };
    Ok(Page::new(offer.name, body).below("/shipping", "Shipping"))
}

fn summary(call: &PageCall, offer: &Offer, more: &More, regions: &[Named]) -> Markup {
    let zone = more.service_zone.as_ref();
    facts([
        (
            "Zone",
            html! {
                @if let Some(it) = zone {
                    (zone_link(call, &it.fulfillment_set_id, &Named { id: it.id.clone(), name: it.name.clone() }))
                }
            },
        ),
        ("Shipped by", html! { (provider_name(&more.provider_id)) }),
        ("Price", offer.in_words(call, regions)),
    ])
}

async fn settings(call: &PageCall, offer: &Offer, more: &More, seen: &Seen) -> Result<Markup, Fault> {
    let types = choices(call, SHIPPING_TYPES, more.kind.as_slice()).await?;
    let profiles = choices(call, SHIPPING_PROFILES, more.shipping_profile.as_slice()).await?;
    let id = |it: &Option<Named>| it.as_ref().map_or("", |it| &*it.id).to_owned();
    let fields = [
        Field::text("name", "Name").value(&*offer.name).required().hint("Buyers see it."),
        Field::choice("type", "Type", options(&types)).value(id(&more.kind)),
        Field::choice("profile", "Goods of the profile", options(&profiles))
            .value(id(&more.shipping_profile)),
        Field::tick("buyers", "Buyers may choose it", !offer.says(BY_BUYERS, "false")),
        Field::tick("returns", "For returns", offer.says(FOR_RETURNS, "true")),
    ];
    Ok(call.form_of_seen(seen, "save", "Save", &fields))
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "add-rule" => return rules::add(&call, &form, route(&call)).await.map(|()| saved(&call)),
        "remove-rule" => return rules::remove(&call, &form, route(&call)).await.map(|()| saved(&call)),
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/shipping", Done::Deleted));
        }
        _ => {}
    }
    let (offer, _, now) = option(&call).await?;
    let body = match form.action() {
        "save" => {
            json!({
                "name": form.text("name"),
                "type_id": form.text("type"),
                "shipping_profile_id": form.text("profile"),
                "rules": with_answers(&offer.rules, &form),
            })
        }
        "prices" => json!({ "prices": prices::changed(&form, &offer.prices)? }),
        "add-price" => {
            let currencies = currencies(&call).await?;
            json!({ "prices": prices::added(&form, &offer.prices, &currencies)? })
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    call.api().save(&form, &now, &body).await?;
    Ok(saved(&call))
}

fn saved(call: &PageCall) -> Next {
    Next::to(Address::of("/shipping/options").then(call.path("id")), Done::Saved)
}

/// The rules with the answers of the form; what it does not ask for stays.
fn with_answers(before: &[Rule], form: &Form) -> Vec<Value> {
    let kept = before.iter().filter(|it| it.is_further()).map(|Rule { id, attribute, operator, value }| {
        json!({ "id": id, "attribute": attribute, "operator": operator, "value": value })
    });
    kept.chain(answers(form.is_on("buyers"), form.is_on("returns"))).collect()
}
