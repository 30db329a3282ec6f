//! Conditions of promotions: what a cart must be, and which goods count. In words, as fields of a form, and
//! as the API takes them.

use std::collections::HashMap;

use atoll_kernel::Fault;
use atoll_pages::{Address, Blank, Field, Form, Markup, PageCall, Records, hint, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pages::{
    audience::{Audience, GROUPS, HINT, OF_CHANNELS, OF_REGIONS, boxes, chosen},
    named::{CATEGORIES, COLLECTIONS, NamedVariant, choices, options_or},
};

/// A rule, as the API describes it.
#[derive(Deserialize)]
pub(super) struct Rule {
    /// None for what is a field of the method, and shown as a rule: the currency.
    pub(super) id: Option<String>,
    pub(super) attribute: String,
    attribute_label: String,
    operator: String,
    #[serde(default)]
    values: Value,
}

/// Whom a promotion may be for, by the attribute of its rule.
pub(super) const AUDIENCES: [(&str, Audience); 3] =
    [("sales_channel_id", OF_CHANNELS), ("customer.groups.id", GROUPS), ("region.id", OF_REGIONS)];

/// The attribute of the least total of the goods.
const TOTAL: &str = "item_total";
/// That of the currency of a cart.
const CURRENCY: &str = "currency_code";
/// That of a variant in the cart.
const VARIANT: &str = "items.variant_id";

/// SKUs that a form names at once.
const SKUS_MAX: usize = 50;

/// How attributes are called; others are called as the API does.
const CALLED: [(&str, &str); 8] = [
    ("sales_channel_id", "Sold by"),
    ("customer.groups.id", "Buyer in the group"),
    ("region.id", "In the region"),
    ("shipping_address.country_code", "Sent to"),
    (CURRENCY, "Paid in"),
    (TOTAL, "Goods for"),
    (VARIANT, "Variant"),
    ("items.product.collection_id", "Collection"),
];

/// How operators are said; those that are not here say nothing.
const SAID: [(&str, &str); 5] =
    [("ne", "not "), ("gt", "more than "), ("gte", "at least "), ("lt", "less than "), ("lte", "at most ")];

impl Rule {
    /// Its values: each with what it is called.
    fn values(&self) -> Vec<(&str, &str)> {
        fn pair(it: &Value) -> Option<(&str, &str)> {
            Some((it["value"].as_str()?, it["label"].as_str()?))
        }
        self.values.as_array().into_iter().flatten().filter_map(pair).collect()
    }

    /// What it looks at.
    pub(super) fn called(&self) -> &str {
        let known = CALLED.iter().find(|(attribute, _)| *attribute == self.attribute);
        known.map_or(&self.attribute_label, |(_, called)| called)
    }

    /// What it demands.
    pub(super) fn demands(&self, variants: &HashMap<String, String>) -> String {
        let said = SAID.iter().find(|(operator, _)| *operator == self.operator).map_or("", |it| it.1);
        let name = |(value, label): (&str, &str)| match variants.get(value) {
            Some(name) => name.clone(),
            None if self.attribute == CURRENCY => value.to_uppercase(),
            None => label.to_owned(),
        };
        format!("{said}{}", self.values().into_iter().map(name).collect::<Vec<_>>().join(" or "))
    }
}

/// The rules of a promotion of a kind: `rules`, `target-rules` or `buy-rules`. Quantities, which the API
/// shows among them, are part of what the promotion does.
pub(super) async fn of(call: &PageCall, promotion: &str, kind: &str) -> Result<Vec<Rule>, Fault> {
    let address = Address::of("/admin/promotions").then(promotion).then(kind);
    let mut rules: Vec<Rule> = call.api().one(address, "rules").await?;
    rules.retain(|it| it.id.is_some() || it.attribute == CURRENCY);
    Ok(rules)
}

/// The currency that a rule demands, if one does.
pub(super) fn currency(rules: &[Rule]) -> Option<String> {
    values_on(rules, CURRENCY).pop()
}

/// The names of the variants that rules name, by their ids.
pub(super) async fn variants_of(call: &PageCall, rules: &[Rule]) -> Result<HashMap<String, String>, Fault> {
    let of_variants = rules.iter().filter(|it| it.attribute == VARIANT);
    let ids: Vec<&str> = of_variants.flat_map(Rule::values).map(|(id, _)| id).take(SKUS_MAX).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let address = Address::of("/admin/product-variants")
        .with("fields", "id,title,sku,product.title")
        .with("limit", SKUS_MAX);
    let address = ids.iter().fold(address, |it, id| it.with("id[]", id));
    let variants: Records<NamedVariant> = call.api().list(address, "variants").await?;
    Ok(variants.records.into_iter().map(|it| (it.id.clone(), it.name())).collect())
}

/// The values of the rules on an attribute.
fn values_on(rules: &[Rule], attribute: &str) -> Vec<String> {
    let on_it = rules.iter().filter(|it| it.attribute == attribute);
    on_it.flat_map(Rule::values).map(|(value, _)| value.to_owned()).collect()
}

/// The fields of what a cart must be.
pub(super) async fn cart_fields(call: &PageCall, rules: &[Rule]) -> Result<Vec<Field<'static>>, Fault> {
    let mut fields = boxes(call, &AUDIENCES, |attribute| values_on(rules, attribute)).await?;
    let total = Field::number("total", "Goods for at least")
        .value(values_on(rules, TOTAL).pop().unwrap_or_default())
        .hint("In the currency of the promotion; empty: from any amount.");
    fields.push(total);
    Ok(fields)
}

/// The same, as a form shows it.
pub(super) fn cart_shown(form: &Blank<'_>, fields: &[Field<'_>]) -> Markup {
    html! { (hint(HINT)) (form.fields(fields)) }
}

/// A rule, as bodies have it.
fn rule(attribute: &str, operator: &str, values: Value) -> Value {
    json!({ "attribute": attribute, "operator": operator, "values": values })
}

/// What a cart must be, as the form says it. An amount is of the currency of the promotion: one in per cent
/// gets a rule on that.
pub(super) async fn cart_rules(
    call: &PageCall,
    form: &Form,
    before: &[Rule],
    currency: Option<&str>,
) -> Result<Vec<Value>, Fault> {
    let mut rules = Vec::new();
    for (attribute, audience) in &AUDIENCES {
        let ids = chosen(call, form, audience, values_on(before, attribute)).await?;
        if !ids.is_empty() {
            rules.push(rule(attribute, "in", json!(ids)));
        }
    }
    let total = form.number("total")?;
    if !total.is_null() {
        rules.push(rule(TOTAL, "gte", json!([total.to_string()])));
        rules.extend(currency.map(|code| rule(CURRENCY, "eq", json!([code]))));
    }
    Ok(rules)
}

/// The rules that `cart_fields` ask for: those that its form replaces.
pub(super) fn asked_for(rules: &[Rule]) -> Vec<&str> {
    let is_asked = |it: &&Rule| {
        AUDIENCES.iter().any(|(attribute, _)| *attribute == it.attribute)
            || [TOTAL, CURRENCY].contains(&&*it.attribute)
    };
    rules.iter().filter(is_asked).filter_map(|it| it.id.as_deref()).collect()
}

/// Fields by which goods are chosen: their names, of the collection, the category and the SKUs.
pub(super) struct Goods {
    names: [&'static str; 3],
    hint: &'static str,
}

/// The goods that are discounted.
pub(super) const TARGET: Goods = Goods {
    names: ["collection", "category", "skus"],
    hint: "Separated by commas; nothing chosen: any goods.",
};
/// Goods of another condition of a promotion that is there.
pub(super) const MORE: Goods =
    Goods { names: TARGET.names, hint: "Separated by commas: one of them is enough." };
/// The goods that must be bought.
pub(super) const BOUGHT: Goods = Goods {
    names: ["buy_collection", "buy_category", "buy_skus"],
    hint: "Separated by commas. One of the three must be said.",
};

impl Goods {
    pub(super) async fn fields(&self, call: &PageCall) -> Result<[Field<'static>; 3], Fault> {
        let [collection, category, skus] = self.names;
        let collections = options_or("any", &choices(call, COLLECTIONS, &[]).await?);
        let categories = options_or("any", &choices(call, CATEGORIES, &[]).await?);
        Ok([
            Field::choice(collection, "Of the collection", collections),
            Field::choice(category, "Of the category", categories),
            Field::text(skus, "With one of these SKUs").hint(self.hint),
        ])
    }

    /// What a form chose, as rules: all of them must hold.
    pub(super) async fn rules(&self, call: &PageCall, form: &Form) -> Result<Vec<Value>, Fault> {
        let [collection, category, skus] = self.names.map(|name| form.text(name));
        let mut rules = Vec::new();
        for (id, attribute) in
            [(collection, "items.product.collection_id"), (category, "items.product.categories.id")]
        {
            if !id.is_empty() {
                rules.push(rule(attribute, "in", json!([id])));
            }
        }
        let skus: Vec<&str> = skus.split([',', ' ']).map(str::trim).filter(|it| !it.is_empty()).collect();
        if !skus.is_empty() {
            rules.push(rule(VARIANT, "in", json!(with_skus(call, &skus).await?)));
        }
        Ok(rules)
    }
}

/// The ids of the variants with these SKUs. Error: one that no variant has.
async fn with_skus(call: &PageCall, skus: &[&str]) -> Result<Vec<String>, Fault> {
    if skus.len() > SKUS_MAX {
        return Err(Fault::invalid(format!("These are more than {SKUS_MAX} SKUs")));
    }
    let address =
        Address::of("/admin/product-variants").with("fields", "id,title,sku").with("limit", SKUS_MAX);
    let address = skus.iter().fold(address, |it, sku| it.with("sku[]", sku));
    let found: Records<NamedVariant> = call.api().list(address, "variants").await?;
    let has = |sku: &&&str| found.records.iter().any(|it| it.sku.as_deref() == Some(**sku));
    if let Some(sku) = skus.iter().find(|it| !has(it)) {
        return Err(Fault::invalid(format!("No variant has the SKU {sku}")));
    }
    Ok(found.records.into_iter().map(|it| it.id).collect())
}
