//! The prices of a price list: those that it has, and the search by which others are added.

use std::collections::HashMap;

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{
    Address, Blank, Button, Field, Form, Markup, PageCall, Records, hint, html, nothing, outdated, pager,
    table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::one::route;
use crate::pages::{
    named::{NamedVariant, find_variants},
    products::Price as UsualPrice,
    store::{currencies, currency_options},
};

/// Prices on one page of the list.
const PRICES_PAGE: usize = 25;

/// Variants that a search offers prices for.
const FOUND_MAX: usize = 25;

/// A price of the list.
#[derive(Deserialize)]
struct Price {
    id: String,
    currency_code: String,
    amount: Decimal,
    min_quantity: Option<Decimal>,
    max_quantity: Option<Decimal>,
    price_set: Option<Set>,
    #[serde(default)]
    price_rules: Vec<Value>,
}

#[derive(Deserialize)]
struct Set {
    variant: Option<NamedVariant>,
}

impl Price {
    /// For which quantities of a line.
    fn quantities(&self) -> String {
        match (self.min_quantity, self.max_quantity) {
            (None, None) => "any".to_owned(),
            (Some(min), None) => format!("from {min}"),
            (None, Some(max)) => format!("up to {max}"),
            (Some(min), Some(max)) => format!("{min} to {max}"),
        }
    }

    fn row(&self, call: &PageCall, form: &Blank<'_>) -> Vec<Markup> {
        let variant = self.price_set.as_ref().and_then(|it| it.variant.as_ref());
        let name = variant.map_or_else(|| "A variant that is gone".to_owned(), NamedVariant::name);
        let amount = call.amount(self.amount, &self.currency_code);
        vec![
            html! {
                @if let Some(it) = variant { (it.link(call)) } @else { (name) }
                @if !self.price_rules.is_empty() { " " span class="hint" { "with rules of its own" } }
            },
            html! { (self.quantities()) },
            amount_field(form, &self.id, &name, &self.currency_code, amount),
        ]
    }
}

/// The field of an amount in a row of a table, of the record with this id, and what it was.
fn amount_field(form: &Blank<'_>, id: &str, called: &str, currency: &str, amount: String) -> Markup {
    let code = currency.to_uppercase();
    let (name, label) = (format!("amounts[{id}]"), format!("Price of {called} in {code}"));
    html! {
        div class="amount" {
            (form.compared(&Field::number(&name, &label).value(amount)))
            (code)
        }
    }
}

/// The prices of the list, in one form.
pub(super) async fn shown(call: &PageCall) -> Result<Markup, Fault> {
    let address = route(call)
        .then("prices")
        .with(
            "fields",
            "id,currency_code,amount,min_quantity,max_quantity,price_rules,price_set.variant.id,\
             price_set.variant.title,price_set.variant.sku,price_set.variant.product_id,\
             price_set.variant.product.title",
        )
        .with("limit", PRICES_PAGE)
        .with("offset", call.offset());
    let prices: Records<Price> = call.api().list(address, "prices").await?;
    let rows = |form: &Blank<'_>| prices.records.iter().map(|it| it.row(call, form)).collect::<Vec<_>>();
    Ok(html! {
        section class="card" id="prices" {
            h2 { "Prices" }
            @if prices.records.is_empty() { (nothing("No price yet: the list changes nothing.")) }
            @else {
                (call.form_of(
                    |form| html! {
                        (table(&["Variant", "Quantity", "Price"], rows(form)))
                        (hint("A price without an amount goes."))
                    },
                    &[Button::new("amounts", "Save prices")],
                ))
                (pager(call, &prices))
            }
        }
    })
}

/// Sets the amounts that were typed; a price that has none any more is deleted. What others have set since
/// stays, and is refused where it is of the same price.
pub(super) async fn change(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let (gone, set): (Vec<_>, Vec<_>) =
        form.changed_numbers("amounts")?.into_iter().partition(|(_, amount)| amount.is_null());
    let ids: Vec<&str> = gone.iter().chain(&set).map(|(id, _)| *id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    check_standing(call, form, &ids).await?;
    let update: Vec<Value> = set.iter().map(|(id, it)| json!({ "id": id, "amount": it })).collect();
    let delete: Vec<&str> = gone.iter().map(|(id, _)| *id).collect();
    batch(call, &json!({ "update": update, "delete": delete })).await
}

/// Refuses a form that shows other amounts of these prices than they have now.
async fn check_standing(call: &PageCall, form: &Form, ids: &[&str]) -> Result<(), Fault> {
    #[derive(Deserialize)]
    struct Standing {
        id: String,
        currency_code: String,
        amount: Decimal,
    }
    let address =
        route(call).then("prices").with("fields", "id,currency_code,amount").with("limit", PRICES_PAGE);
    let address = ids.iter().take(PRICES_PAGE).fold(address, |it, id| it.with("id[]", id));
    let standing: Records<Standing> = call.api().list(address, "prices").await?;
    let is_as_shown = |it: &Standing| {
        let shown = form.was_number("amounts", &it.id);
        shown.is_none_or(|amount| amount == call.amount(it.amount, &it.currency_code))
    };
    if standing.records.iter().all(is_as_shown) { Ok(()) } else { Err(outdated()) }
}

async fn batch(call: &PageCall, body: &Value) -> Result<(), Fault> {
    let address = route(call).then("prices").then("batch").with("fields", "id");
    call.api().post::<Value>(address, body).await.map(drop)
}

/// A variant that the search found, with its usual prices.
#[derive(Deserialize)]
struct Usual {
    id: String,
    #[serde(default)]
    prices: Vec<UsualPrice>,
}

impl Usual {
    /// What it costs for everybody.
    fn price(&self, currency: &str) -> Option<Decimal> {
        let mut plain = self.prices.iter().filter(|it| it.is_plain());
        plain.find(|it| it.currency_code == currency).map(|it| it.amount)
    }
}

const USUAL: &str = "id,prices.id,prices.currency_code,prices.amount,prices.min_quantity,\
     prices.max_quantity,prices.rules";

/// The search for variants, and the form of the prices of those that it found.
pub(super) async fn more(call: &PageCall) -> Result<Markup, Fault> {
    let currencies = currencies(call).await?;
    let currency = match call.query("currency") {
        "" => currencies.first().map_or("", |it| &**it),
        code => code,
    };
    let q = call.query("q");
    Ok(html! {
        section class="card" id="more" {
            h2 { "More prices" }
            (call.search(call.at(), "Search", &[
                Field::line("search", "q", "SKU, title of a product or of a variant").value(q),
                Field::choice("currency", "Currency", currency_options(&currencies)).value(currency),
            ]))
            @if !q.is_empty() { (found(call, q, currency).await?) }
        }
    })
}

async fn found(call: &PageCall, q: &str, currency: &str) -> Result<Markup, Fault> {
    let found = find_variants(call, q, FOUND_MAX).await?;
    if found.is_empty() {
        return Ok(nothing("No variant has such a SKU or title."));
    }
    let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
    let usual = usual(call, &ids).await?;
    let row = |form: &Blank<'_>, it: &NamedVariant| {
        vec![
            it.link(call),
            html! { (it.sku.as_deref().unwrap_or("–")) },
            html! {
                @match usual.get(&it.id).and_then(|it| it.price(currency)) {
                    Some(amount) => (call.money(amount, currency)),
                    None => "–",
                }
            },
            html! {
                (amount_field(form, &it.id, &it.name(), currency, String::new()))
                input type="hidden" name="found[]" value=(it.id);
            },
        ]
    };
    let terms = [
        Field::number("percent", "For those left empty: less than usual, in %"),
        Field::number("min", "From a quantity of"),
        Field::number("max", "Up to a quantity of"),
    ];
    let columns = ["Variant", "SKU", "Usual price", "Price in this list"];
    let fields = |form: &Blank<'_>| {
        html! {
            input type="hidden" name="currency" value=(currency);
            (table(&columns, found.iter().map(|it| row(form, it))))
            div class="fields" { (form.fields(&terms)) }
        }
    };
    Ok(html! {
        @if found.len() == FOUND_MAX { (hint("These are the first ones: say more of what you search.")) }
        (call.form_of(fields, &[Button::new("add", "Add prices")]))
    })
}

/// The usual prices of variants, by their ids.
async fn usual(call: &PageCall, ids: &[&str]) -> Result<HashMap<String, Usual>, Fault> {
    let address = Address::of("/admin/product-variants").with("fields", USUAL).with("limit", FOUND_MAX);
    let address = ids.iter().fold(address, |it, id| it.with("id[]", id));
    let records: Records<Usual> = call.api().list(address, "variants").await?;
    Ok(records.records.into_iter().map(|it| (it.id.clone(), it)).collect())
}

/// Adds the prices of the form: the amounts that were typed, and for the others so much less than usual.
pub(super) async fn add(call: &PageCall, form: &Form) -> Result<(), Fault> {
    let currency = form.text("currency");
    let mut amounts: Vec<(String, Value)> =
        form.numbers("amounts")?.into_iter().map(|(id, it)| (id.to_owned(), it)).collect();
    if let Some(percent) = percent(form)? {
        let mut left = form.all("found");
        left.retain(|id| amounts.iter().all(|(it, _)| it != id));
        left.truncate(FOUND_MAX);
        let usual = if left.is_empty() { HashMap::new() } else { usual(call, &left).await? };
        for id in left {
            if let Some(price) = usual.get(id).and_then(|it| it.price(currency)) {
                let lower = price - price * percent.percent();
                amounts.push((id.to_owned(), json!(lower.round(call.digits(currency)))));
            }
        }
    }
    if amounts.is_empty() {
        return Err(Fault::invalid("Say a price of one variant at least, or how much less"));
    }
    let (min, max) = (form.number("min")?, form.number("max")?);
    let price = |(variant, amount): (String, Value)| {
        json!({
            "variant_id": variant, "currency_code": currency, "amount": amount,
            "min_quantity": min, "max_quantity": max,
        })
    };
    batch(call, &json!({ "create": amounts.into_iter().map(price).collect::<Vec<_>>() })).await
}

fn percent(form: &Form) -> Result<Option<Decimal>, Fault> {
    let text = form.text("percent");
    let percent: Option<Decimal> = match form.number("percent")? {
        Value::Null => None,
        _ => text.parse().ok(),
    };
    match percent {
        Some(it) if it.is_negative() || it > Decimal::from(100_u64) => {
            Err(Fault::invalid(format!("`{text}` is not between 0 and 100")))
        }
        percent => Ok(percent),
    }
}
