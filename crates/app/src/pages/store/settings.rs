//! The page of the store: its name, what it takes where nothing else is said, whether goods must be shipped,
//! and its currencies.

use std::slice;

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, Seen, admin_page, badge, html,
    link, table,
};
use serde_json::{Map, Value, json};

use super::{Currency, Store, Supported, seen};
use crate::pages::named::{CHANNELS, LOCATIONS, NamedList, REGIONS, choices_with, options_or};

admin_page! {
    "/store" as "Store" in Settings 5 => show, change;
}

/// The currencies that there are; the API knows fewer.
const ALL_CURRENCIES_MAX: usize = 200;

/// The records that the store takes where nothing else is said: the field of the store, the label, and what
/// takes it.
const DEFAULTS: [(&str, &str, NamedList, &str); 3] = [
    ("default_sales_channel_id", "Sales channel", CHANNELS, "Of carts whose key opens it among others."),
    ("default_region_id", "Region", REGIONS, "Of carts that name none."),
    ("default_location_id", "Stock location", LOCATIONS, "For programs that ask for it."),
];

/// Whether goods must be shipped: as a form has it, and as people say it.
const SHIPPING: [(&str, &str, Option<bool>); 3] = [
    ("", "In the channels that have a shipping option", None),
    ("always", "In all channels", Some(true)),
    ("never", "Never", Some(false)),
];

impl Store {
    fn default_of(&self, field: &str) -> Option<&String> {
        match field {
            "default_sales_channel_id" => self.default_sales_channel_id.as_ref(),
            "default_region_id" => self.default_region_id.as_ref(),
            _ => self.default_location_id.as_ref(),
        }
    }
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let (store, seen) = seen(&call).await?;
    let body = html! {
        section class="card" { h2 { "Name and defaults" } (settings(&call, &store, &seen).await?) }
        section class="card" id="currencies" { h2 { "Currencies" } (currencies(&call, &store).await?) }
    };
    Ok(Page::new("Store", body))
}

async fn settings(call: &PageCall, store: &Store, seen: &Seen) -> Result<Markup, Fault> {
    let mut fields = vec![Field::text("name", "Name").value(&*store.name).required()];
    for (name, label, list, hint) in DEFAULTS {
        if name == "default_sales_channel_id" && !call.has("/channels") {
            continue;
        }
        let chosen = store.default_of(name);
        let records = choices_with(call, list, chosen.map(slice::from_ref).unwrap_or_default()).await?;
        let chosen = chosen.cloned().unwrap_or_default();
        fields.push(Field::choice(name, label, options_or("none", &records)).value(chosen).hint(hint));
    }
    let shipping = SHIPPING.iter().find(|it| it.2 == store.require_shipping).map_or("", |it| it.0);
    let ways = SHIPPING.map(|(word, label, _)| (word, label));
    fields.push(
        Field::choice("shipping", "A cart must say how its goods are shipped", ways)
            .value(shipping)
            .hint("Where it must, it is no order before the buyer has chosen a way of shipping."),
    );
    Ok(call.form_of_seen(seen, "save", "Save", &fields))
}

/// The settings that a form describes. What it does not ask for stays.
fn described(form: &Form) -> Value {
    let shipping = SHIPPING.iter().find(|it| it.0 == form.text("shipping")).and_then(|it| it.2);
    let mut body = Map::from_iter([
        ("name".to_owned(), form.text("name").into()),
        ("require_shipping".to_owned(), shipping.into()),
    ]);
    let asked = DEFAULTS.iter().filter(|it| !form.nested(it.0).is_null());
    body.extend(asked.map(|(name, ..)| ((*name).to_owned(), form.or_null(name))));
    body.into()
}

async fn currencies(call: &PageCall, store: &Store) -> Result<Markup, Fault> {
    let used = &store.supported_currencies;
    let address =
        Address::of("/admin/currencies").with("fields", "code,name").with("limit", ALL_CURRENCIES_MAX);
    let all: Records<Currency> = call.api().list(address, "currencies").await?;
    let others = all.records.iter().filter(|it| used.iter().all(|used| used.currency_code != it.code));
    let options = others.map(|it| (it.code.clone(), it.label()));
    let rows = used.iter().map(|it| vec![html! { (it.currency.label()) }, actions(call, it)]);
    Ok(html! {
        (table(&["Currency", "Actions"], rows))
        (call.form("add", "Add", &[Field::choice("currency_code", "Another currency", options)]))
        p { "Buyers pay in the currency of their " (link(call, "/regions", "region")) "." }
    })
}

fn actions(call: &PageCall, supported: &Supported) -> Markup {
    let [default, remove] =
        ["default", "remove"].map(|action| format!("{action} {}", supported.currency_code));
    let label = supported.currency.label();
    let goes = "Prices in this currency stay, and forms ask for them no more. Remove it?";
    html! {
        @if supported.is_default { (badge("good", "Default")) }
        @else {
            div class="buttons" {
                (call.button(Button::new(&default, "Make it the default").of(&label)))
                (call.button(Button::danger(&remove, "Remove", goes).of(&label)))
            }
        }
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let (store, now) = seen(&call).await?;
    let body = match form.action() {
        "save" => described(&form),
        _ => json!({ "supported_currencies": changed_currencies(&form, &store)? }),
    };
    call.api().save(&form, &now, &body).await?;
    Ok(Next::to("/store", Done::Saved))
}

/// The currencies after what the form asks for, as a body has them.
fn changed_currencies(form: &Form, store: &Store) -> Result<Vec<Value>, Fault> {
    let code = form.of_id();
    let mut currencies: Vec<(&str, bool)> =
        store.supported_currencies.iter().map(|it| (&*it.currency_code, it.is_default)).collect();
    match form.action() {
        "add" => currencies.push((form.text("currency_code"), false)),
        "remove" => currencies.retain(|(it, _)| *it != code),
        "default" => currencies.iter_mut().for_each(|it| it.1 = it.0 == code),
        _ => return Err(Fault::invalid("There is no such button")),
    }
    let one = |(code, is_default)| json!({ "currency_code": code, "is_default": is_default });
    Ok(currencies.into_iter().map(one).collect())
}
