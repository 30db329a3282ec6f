//! What a tax rate is for: products, the products of a type, shipping options. In words, as fields of a form,
//! and as the API takes them.

use std::collections::HashMap;

use atoll_kernel::Fault;
use atoll_pages::{Address, Blank, Button, Done, Field, Form, Markup, PageCall, hint, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Rate;
use crate::pages::named::{
    NamedList, PRODUCTS, SHIPPING_OPTIONS, TYPES, choices, find_variants, names_of, options_or,
};

/// A rule of a tax rate.
#[derive(Deserialize)]
pub(super) struct Rule {
    id: String,
    reference: String,
    reference_id: String,
}

/// What a rule may name: the word of the API, what people call it, and the list of these records.
const KINDS: [(&str, &str, NamedList); 3] = [
    ("product", "Product", PRODUCTS),
    ("product_type", "Type", TYPES),
    ("shipping_option", "Shipping", SHIPPING_OPTIONS),
];

/// Rules of a rate that the page shows.
const RULES_SHOWN: usize = 30;

/// Variants among which a product is looked for.
const FOUND_MAX: usize = 50;

/// The names of what rules name, by its id.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    pub(super) async fn of(call: &PageCall, rules: impl Iterator<Item = &Rule>) -> Result<Names, Fault> {
        let rules: Vec<&Rule> = rules.collect();
        let mut names = HashMap::new();
        for (reference, _, list) in KINDS {
            let of_kind = rules.iter().filter(|it| it.reference == reference);
            names.extend(names_of(call, list, of_kind.map(|it| &*it.reference_id)).await?);
        }
        Ok(Names(names))
    }

    fn called<'a>(&'a self, rule: &'a Rule) -> &'a str {
        self.0.get(&rule.reference_id).unwrap_or(&rule.reference_id)
    }
}

/// What a rate is for, each with the button that takes it out.
pub(super) fn shown(call: &PageCall, rate: &Rate, names: &Names) -> Markup {
    let one = |rule: &Rule| {
        let kind = KINDS.iter().find(|it| it.0 == rule.reference).map_or("", |it| it.1);
        let (called, action) = (names.called(rule), format!("narrow {} {}", rate.id, rule.id));
        html! {
            li {
                (kind) ": " (called) " "
                (call.button(Button::new(&action, "Remove").quiet().of(called)))
            }
        }
    };
    let n_more = rate.rules.len().saturating_sub(RULES_SHOWN);
    html! {
        ul class="plain" { @for rule in rate.rules.iter().take(RULES_SHOWN) { (one(rule)) } }
        @if n_more > 0 { (hint(format!("{n_more} more"))) }
    }
}

/// What a form offers.
pub(super) struct Choices {
    types: Vec<(String, String)>,
    shipping: Vec<(String, String)>,
}

impl Choices {
    pub(super) async fn of(call: &PageCall) -> Result<Choices, Fault> {
        Ok(Choices {
            types: options_or("none", &choices(call, TYPES, &[]).await?),
            shipping: options_or("none", &choices(call, SHIPPING_OPTIONS, &[]).await?),
        })
    }

    /// The fields by which something is chosen. A list that is empty is not offered.
    pub(super) fn shown(&self, form: &Blank<'_>) -> Markup {
        let sku = Field::text("product", "Product, by a SKU or its title");
        let types = Field::choice("product_type", "Products of the type", self.types.clone());
        let shipping = Field::choice("shipping_option", "Shipping option", self.shipping.clone());
        html! {
            div class="pairs" {
                (form.field(&sku))
                @if self.types.len() > 1 { (form.field(&types)) }
                @if self.shipping.len() > 1 { (form.field(&shipping)) }
            }
        }
    }
}

/// What a form has chosen, as bodies have it. Error: nothing.
pub(super) async fn typed(call: &PageCall, form: &Form) -> Result<Vec<Value>, Fault> {
    let mut rules = Vec::new();
    for (reference, ..) in KINDS {
        let id = match (reference, form.text(reference)) {
            (_, "") => continue,
            ("product", text) => product(call, text).await?,
            (_, id) => id.to_owned(),
        };
        rules.push(json!({ "reference": reference, "reference_id": id }));
    }
    if rules.is_empty() {
        return Err(Fault::invalid("Say what the rate is for"));
    }
    Ok(rules)
}

/// The product that a text names. Errors: none does, or several do.
async fn product(call: &PageCall, text: &str) -> Result<String, Fault> {
    let found = find_variants(call, text, FOUND_MAX).await?;
    let mut ids: Vec<String> = found.into_iter().filter_map(|it| it.product_id).collect();
    ids.sort_unstable();
    ids.dedup();
    match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => Ok(id),
        (Some(_), false) => Err(Fault::invalid(format!("Several products fit `{text}`: say a SKU"))),
        (None, _) => Err(Fault::invalid(format!("No product has the SKU or title `{text}`"))),
    }
}

/// Adds what a form has chosen to a rate.
pub(super) async fn widen(call: &PageCall, form: &Form) -> Result<Done, Fault> {
    let rules = typed(call, form).await?;
    let address = Address::of("/admin/tax-rates").then(form.of_id()).then("rules").with("fields", "id");
    let mut done = Done::Saved;
    for (index, rule) in rules.iter().enumerate() {
        match call.api().post::<Value>(address.clone(), rule).await {
            Err(fault) if index == 0 => return Err(fault),
            added => done = done.with(&added),
        }
    }
    Ok(done)
}
