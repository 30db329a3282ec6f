//! A new promotion by one form: a discount, or goods that are got with others.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Blank, Button, Done, Field, Form, Markup, Next, Page, PageCall, admin_page, html,
};
use serde_json::{Map, Value, json};

use super::{
    STATES,
    campaigns::CAMPAIGNS,
    rules::{self, BOUGHT, TARGET},
};
use crate::pages::{
    named::{choices, options_or},
    store::{currencies, currency_options},
};

admin_page! {
    "/promotions/new" => ask, create;
}

/// Is the page for goods that are got with others?
fn is_buy_get(call: &PageCall) -> bool {
    call.query("kind") == "buyget"
}

async fn ask(call: PageCall) -> Result<Page, Fault> {
    let is_buy_get = is_buy_get(&call);
    let target = TARGET.fields(&call).await?;
    let bought = if is_buy_get { Some(BOUGHT.fields(&call).await?) } else { None };
    let currencies = currencies(&call).await?;
    let campaigns = options_or("none", &choices(&call, CAMPAIGNS, &[]).await?);
    let cart = rules::cart_fields(&call, &[]).await?;
    let ways = [("code", "Who types the code"), ("automatic", "Every cart that fits")];
    let head = [
        Field::text("code", "Code").required().hint("Of one that nobody types: a name for yourselves."),
        Field::choice("who", "Who gets it", ways),
    ];
    let when = [
        Field::choice("status", "State", STATES),
        Field::number("limit", "In how many orders").hint("Empty: in any number."),
        Field::moment("starts_at", "From"),
        Field::moment("ends_at", "Until"),
        Field::choice("campaign", "Campaign", campaigns)
            .hint("It has a period of its own, and may have a budget."),
    ];
    let fields = |form: &Blank<'_>| {
        html! {
            section class="card" {
                (form.fields(&head))
                @match &bought {
                    Some(bought) => (buy_get(form, bought, &target)),
                    None => (discount(&call, form, &currencies, &target)),
                }
            }
            section class="card" { h2 { "When" } div class="pairs" { (form.fields(&when)) } }
            section class="card" { h2 { "For which carts" } (rules::cart_shown(form, &cart)) }
        }
    };
    let title = if is_buy_get { "New buy and get" } else { "New discount" };
    let form = call.form_of(fields, &[Button::new("create", "Create")]);
    Ok(Page::new(title, form).below("/promotions", "Promotions"))
}

/// How much is off what; which goods, if it is off some of them, is asked below.
fn discount(call: &PageCall, form: &Blank<'_>, currencies: &[String], target: &[Field<'_>]) -> Markup {
    let types = [("percentage", "Per cent"), ("fixed", "An amount")];
    let targets = [("order", "All goods"), ("items", "Some goods"), ("shipping_methods", "Shipping")];
    let method = [
        Field::number("value", "How much less").required(),
        Field::choice("type", "In", types),
        Field::choice("currency", "Currency of amounts", currency_options(currencies)),
        Field::choice("target", "Off", targets),
    ];
    let max = Field::number("max", "Up to how many of each line")
        .hint("Empty: all of them; an amount is then shared by all lines.");
    let goods = html! { div class="pairs" { (form.fields(target)) (form.field(&max)) } };
    html! {
        div class="fields" { (form.fields(&method)) }
        (call.fold("Which goods, if it is off some of them", &["create"], goods))
    }
}

fn buy_get(form: &Blank<'_>, bought: &[Field<'_>], got: &[Field<'_>]) -> Markup {
    let terms = [
        Field::number("get", "How many").value("1").required(),
        Field::number("value", "So much cheaper, in %").value("100").required().hint("100 is free."),
        Field::number("max", "At most, in a cart").hint("Empty: as many as fit."),
    ];
    html! {
        fieldset {
            legend { "Who buys" }
            div class="pairs" {
                (form.field(&Field::number("buy", "How many").value("2").required()))
                (form.fields(bought))
            }
        }
        fieldset {
            legend { "Gets" }
            div class="pairs" { (form.fields(&terms)) (form.fields(got)) }
        }
    }
}

/// How much is discounted, and on what, as the form of a discount says it.
async fn discount_method(call: &PageCall, form: &Form) -> Result<Value, Fault> {
    let target = form.text("target");
    let mut method = json!({
        "type": form.text("type"), "value": form.number("value")?, "target_type": target,
    });
    if form.text("type") == "fixed" {
        method["currency_code"] = form.text("currency").into();
    }
    let max = form.number("max")?;
    method["allocation"] = match (target, max.is_null()) {
        ("items", false) => "each".into(),
        _ => "across".into(),
    };
    if target == "items" {
        if !max.is_null() {
            method["max_quantity"] = max;
        }
        method["target_rules"] = json!(TARGET.rules(call, form).await?);
    }
    Ok(method)
}

/// The same, of goods that are got with others.
async fn buy_get_method(call: &PageCall, form: &Form) -> Result<Value, Fault> {
    let bought = BOUGHT.rules(call, form).await?;
    if bought.is_empty() {
        return Err(Fault::invalid("Say which goods must be bought"));
    }
    let mut method = json!({
        "type": "percentage",
        "value": form.number("value")?,
        "target_type": "items",
        "allocation": "across",
        "buy_rules": bought,
        "target_rules": TARGET.rules(call, form).await?,
        "buy_rules_min_quantity": form.number("buy")?,
        "apply_to_quantity": form.number("get")?,
    });
    let max = form.number("max")?;
    if !max.is_null() {
        method["allocation"] = "each".into();
        method["max_quantity"] = max;
    }
    Ok(method)
}

/// The campaign of the form: one that is there, or a new one for its period, called as the code.
fn campaign(form: &Form) -> Result<Map<String, Value>, Fault> {
    let (starts_at, ends_at) = (form.moment("starts_at")?, form.moment("ends_at")?);
    let has_period = !starts_at.is_null() || !ends_at.is_null();
    match (form.text("campaign"), has_period) {
        ("", false) => Ok(Map::new()),
        ("", true) => {
            let code = form.text("code");
            let campaign = json!({
                "name": code, "campaign_identifier": code, "starts_at": starts_at, "ends_at": ends_at,
            });
            Ok(Map::from_iter([("campaign".to_owned(), campaign)]))
        }
        (id, false) => Ok(Map::from_iter([("campaign_id".to_owned(), id.into())])),
        (_, true) => Err(Fault::invalid("The campaign has a period of its own: leave From and Until empty")),
    }
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let method = match is_buy_get(&call) {
        true => buy_get_method(&call, &form).await?,
        false => discount_method(&call, &form).await?,
    };
    let currency = match (method["type"] == "fixed", form.text("currency")) {
        (false, "") => currencies(&call).await?.into_iter().next(),
        (false, code) => Some(code.to_owned()),
        // The currency of the method is a condition already.
        (true, _) => None,
    };
    let mut body = json!({
        "code": form.text("code"),
        "type": if is_buy_get(&call) { "buyget" } else { "standard" },
        "status": form.text("status"),
        "is_automatic": form.text("who") == "automatic",
        "limit": form.number("limit")?,
        "application_method": method,
        "rules": rules::cart_rules(&call, &form, &[], currency.as_deref()).await?,
    });
    if let Value::Object(fields) = &mut body {
        fields.extend(campaign(&form)?);
    }
    let answer: Value = call.api().post("/admin/promotions", &body).await?;
    let id = answer["promotion"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/promotions").then(id), Done::Created))
}
