//! The prices of a shipping option: in words, the form of those that it has, and that of another one. A price
//! is of a currency or of a region, and of all totals of the goods or of some.

use atoll_kernel::{Decimal, Fault};
use atoll_pages::{Blank, Button, Field, Form, Markup, PageCall, Seen, hint, html, nothing};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pages::named::Named;

/// A price.
#[derive(Deserialize)]
pub(super) struct Price {
    id: String,
    currency_code: String,
    amount: Decimal,
    #[serde(default)]
    price_rules: Vec<PriceRule>,
}

#[derive(Deserialize)]
struct PriceRule {
    attribute: String,
    operator: String,
    value: String,
}

/// How a total is compared, as people say it.
const COMPARED: [(&str, &str); 5] =
    [("gte", "from"), ("gt", "above"), ("lte", "up to"), ("lt", "below"), ("eq", "at")];

impl Price {
    fn region<'a>(&self, regions: &'a [Named]) -> Option<&'a str> {
        let rule = self.price_rules.iter().find(|it| it.attribute == "region_id")?;
        let region = regions.iter().find(|it| it.id == rule.value);
        Some(region.map_or("a region", |it| &it.name))
    }

    /// The totals of the goods for which it is the price: how they compare, and with what.
    fn totals(&self) -> impl Iterator<Item = (&'static str, Decimal)> {
        let on_total = self.price_rules.iter().filter(|it| it.attribute == "item_total");
        on_total.filter_map(|it| {
            let (_, words) = COMPARED.iter().find(|(operator, _)| *operator == it.operator)?;
            Some((*words, it.value.parse().ok()?))
        })
    }

    fn in_words(&self, call: &PageCall, regions: &[Named]) -> Markup {
        html! {
            @if self.amount.is_zero() { "free" } @else { (call.money(self.amount, &self.currency_code)) }
            @for (words, total) in self.totals() { " " (words) " " (call.money(total, &self.currency_code)) }
            @if self.amount.is_zero() && self.totals().next().is_none() {
                " in " (self.currency_code.to_uppercase())
            }
            @if let Some(region) = self.region(regions) { " in " (region) }
        }
    }

    /// For which buyers and totals it is, as the label of its amount.
    fn label(&self, regions: &[Named]) -> String {
        let code = self.currency_code.to_uppercase();
        let mut label = match self.region(regions) {
            Some(region) => format!("{region}, in {code}"),
            None => format!("In {code}"),
        };
        for (words, total) in self.totals() {
            label.push_str(&format!(", {words} {total} {code}"));
        }
        label
    }
}

/// Prices in words: `4.90 EUR · free from 50.00 EUR`.
pub(super) fn in_words(call: &PageCall, prices: &[Price], regions: &[Named]) -> Markup {
    html! {
        @if prices.is_empty() { "no price yet" }
        @for (index, price) in prices.iter().enumerate() {
            @if index > 0 { " · " }
            (price.in_words(call, regions))
        }
    }
}

/// The fields of a new option: a price and a total from which it is free, for each currency.
pub(super) fn new_fields(form: &Blank<'_>, currencies: &[String]) -> Markup {
    html! {
        div class="pairs" {
            @for code in currencies {
                @let (price, free) = (format!("prices[{code}]"), format!("free[{code}]"));
                @let code = code.to_uppercase();
                (form.field(&Field::number(&price, &format!("Price in {code}"))))
                (form.field(&Field::number(&free, &format!("Free from a total of, in {code}"))))
            }
        }
        (hint("0 is free. In a currency without a price it is not offered."))
    }
}

fn at_least(total: &Value) -> Value {
    rule("gte", total)
}

fn rule(operator: &str, total: &Value) -> Value {
    json!({ "attribute": "item_total", "operator": operator, "value": total })
}

/// The prices of a new option, as bodies have them. Error: there is none.
pub(super) fn typed(form: &Form) -> Result<Vec<Value>, Fault> {
    let mut prices: Vec<Value> = Vec::new();
    for (code, amount) in form.numbers("prices")? {
        prices.push(json!({ "currency_code": code, "amount": amount }));
    }
    for (code, total) in form.numbers("free")? {
        if prices.iter().all(|it| it["currency_code"] != code) {
            let code = code.to_uppercase();
            return Err(Fault::invalid(format!("Say what it costs in {code} below the total")));
        }
        prices.push(json!({ "currency_code": code, "amount": 0, "rules": [at_least(&total)] }));
    }
    if prices.is_empty() {
        return Err(Fault::invalid("Say what it costs in one currency at least; 0 is free"));
    }
    Ok(prices)
}

/// The form of the prices of an option, and that of another one.
pub(super) fn forms(
    call: &PageCall,
    prices: &[Price],
    seen: &Seen,
    currencies: &[String],
    regions: &[Named],
) -> Markup {
    let amounts = |form: &Blank<'_>| {
        html! {
            (form.seen(seen))
            @for price in prices {
                @let (name, label) = (format!("amounts[{}]", price.id), price.label(regions));
                @let amount = call.amount(price.amount, &price.currency_code);
                (form.field(&Field::number(&name, &label).value(amount)))
            }
            (hint("A price without an amount goes."))
        }
    };
    let of_currency = currencies.iter().map(|it| (it.clone(), format!("Who pays in {}", it.to_uppercase())));
    let of_region = regions.iter().map(|it| (it.id.clone(), format!("The region {}", it.name)));
    let fields = [
        Field::choice("for", "For", of_currency.chain(of_region)),
        Field::number("amount", "Price").required(),
        Field::number("from", "From a total of the goods of"),
        Field::number("below", "Below a total of the goods of"),
    ];
    let another = |form: &Blank<'_>| html! { div class="pairs" { (form.fields(&fields)) } };
    html! {
        @if prices.is_empty() { (nothing("It has no price, and is not offered.")) }
        @else { (call.form_of(amounts, &[Button::new("prices", "Save prices")])) }
        (call.fold("Another price", &["add-price"], call.form_of(another, &[Button::new("add-price", "Add price")])))
    }
}

/// The prices with the amounts of the form, as bodies have them. Those that it does not ask for stay.
pub(super) fn changed(form: &Form, prices: &[Price]) -> Result<Vec<Value>, Fault> {
    let asked = form.nested("amounts");
    let mut all = Vec::new();
    for Price { id, .. } in prices {
        match form.number(&format!("amounts[{id}]"))? {
            Value::Null if asked.get(id).is_some() => {}
            Value::Null => all.push(json!({ "id": id })),
            amount => all.push(json!({ "id": id, "amount": amount })),
        }
    }
    Ok(all)
}

/// The prices with that of the form added.
pub(super) fn added(form: &Form, prices: &[Price], currencies: &[String]) -> Result<Vec<Value>, Fault> {
    let whose = form.text("for");
    let key = if currencies.iter().any(|it| it == whose) { "currency_code" } else { "region_id" };
    let bounds = [("gte", form.number("from")?), ("lt", form.number("below")?)];
    let rules: Vec<Value> =
        bounds.iter().filter(|it| !it.1.is_null()).map(|(operator, total)| rule(operator, total)).collect();
    let mut all: Vec<Value> = prices.iter().map(|it| json!({ "id": it.id })).collect();
    all.push(json!({ key: whose, "amount": form.number("amount")?, "rules": rules }));
    Ok(all)
}
