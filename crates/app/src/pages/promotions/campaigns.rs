//! Campaigns: the period and the budget of promotions.

use atoll_kernel::{Decimal, Fault, Timestamp};
use atoll_pages::{
    Address, Blank, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge,
    facts, html, link, nothing, pager, period, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FIELDS as PROMOTION_FIELDS, Promotion};
use crate::pages::{
    deletion::deletion,
    named::NamedList,
    store::{currencies, currency_options},
};

admin_page! {
    "/campaigns" => list, create;
    "/campaigns/:id" => show, change;
}

/// Campaigns on one page of the list, and promotions on the page of one.
const LIST_PAGE: usize = 25;

/// The campaigns, as forms offer them.
pub(super) const CAMPAIGNS: NamedList = NamedList::new("/admin/campaigns", "campaigns", "name");

#[derive(Deserialize)]
struct Campaign {
    id: String,
    name: String,
    campaign_identifier: String,
    description: Option<String>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    budget: Option<Budget>,
}

#[derive(Deserialize)]
struct Budget {
    #[serde(rename = "type")]
    kind: String,
    limit: Option<Decimal>,
    used: Decimal,
    currency_code: Option<String>,
}

const FIELDS: &str = "id,name,campaign_identifier,description,starts_at,ends_at,budget.type,budget.limit,\
     budget.used,budget.currency_code";

/// What a budget counts: the word of the API, and as people say it.
const BUDGETS: [(&str, &str); 5] = [
    ("", "No budget"),
    ("usage", "Orders"),
    ("spend", "Discounts in money"),
    ("use_by_attribute", "Orders of each buyer"),
    ("spend_by_attribute", "Discounts of each buyer in money"),
];

impl Budget {
    fn counts(&self) -> &'static str {
        BUDGETS.iter().find(|(kind, _)| *kind == self.kind).map_or("Budget", |it| it.1)
    }

    fn is_per_buyer(&self) -> bool {
        self.kind.ends_with("_by_attribute")
    }

    fn amount(&self, call: &PageCall, amount: Decimal) -> Markup {
        match &self.currency_code {
            Some(code) => call.money(amount, code),
            None => html! { (amount) },
        }
    }

    /// How much of it is used: `34.50 EUR of 500.00 EUR`.
    fn used(&self, call: &PageCall) -> Markup {
        let is_used_up = !self.is_per_buyer() && self.limit.is_some_and(|it| self.used >= it);
        html! {
            (self.counts()) ": " (self.amount(call, self.used))
            @match self.limit {
                Some(limit) if self.is_per_buyer() => { ", each at most " (self.amount(call, limit)) }
                Some(limit) => { " of " (self.amount(call, limit)) }
                None => ", without a limit",
            }
            @if is_used_up { " " (badge("bad", "Used up")) }
        }
    }
}

impl Campaign {
    fn state(&self, now: Timestamp) -> Markup {
        match self {
            _ if self.ends_at.is_some_and(|it| it <= now) => badge("bad", "Over"),
            _ if self.starts_at.is_some_and(|it| it > now) => badge("warn", "Not yet"),
            _ => badge("good", "Runs"),
        }
    }

    fn budget(&self, call: &PageCall) -> Markup {
        html! { @if let Some(it) = &self.budget { (it.used(call)) } @else { "–" } }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/campaigns")
        .with("fields", FIELDS)
        .with("order", "-created_at")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let campaigns: Records<Campaign> = call.api().list(address, "campaigns").await?;
    let currencies = currencies(&call).await?;
    let rows = campaigns.records.iter().map(|it| {
        vec![
            link(&call, Address::of("/campaigns").then(&it.id), &it.name),
            it.state(call.now()),
            period(it.starts_at, it.ends_at),
            it.budget(&call),
        ]
    });
    let budget = [
        Field::choice("budget", "What its budget counts", BUDGETS),
        Field::number("budget_limit", "The budget"),
        Field::choice("currency", "Its currency, if it is in money", currency_options(&currencies)),
    ];
    let fields = |form: &Blank<'_>| {
        html! { (shown(form, None)) div class="pairs" { (form.fields(&budget)) } }
    };
    let body = html! {
        @if campaigns.records.is_empty() {
            (nothing("No campaign: it gives promotions a period and a budget in common."))
        } @else { (table(&["Campaign", "State", "When", "Used"], rows)) }
        (pager(&call, &campaigns))
        section class="card" {
            h2 { "New campaign" }
            (call.form_of(fields, &[Button::new("create", "Create")]))
        }
    };
    Ok(Page::new("Campaigns", body).below("/promotions", "Promotions"))
}

/// The fields of a campaign in a form.
fn shown(form: &Blank<'_>, campaign: Option<&Campaign>) -> Markup {
    let text = |of: fn(&Campaign) -> &str| campaign.map_or("", of);
    let at = |of: fn(&Campaign) -> Option<Timestamp>| {
        campaign.and_then(of).map_or_else(String::new, |it| it.to_string())
    };
    let description = text(|it| it.description.as_deref().unwrap_or_default());
    let texts = [
        Field::text("name", "Name").value(text(|it| &it.name)).required(),
        Field::text("identifier", "Identifier")
            .value(text(|it| &it.campaign_identifier))
            .hint("For other systems; empty: the name."),
        Field::text("description", "Description").value(description),
    ];
    let period = [
        Field::moment("starts_at", "From").value(at(|it| it.starts_at)),
        Field::moment("ends_at", "Until").value(at(|it| it.ends_at)),
    ];
    html! { (form.fields(&texts)) div class="pairs" { (form.fields(&period)) } }
}

/// The campaign that a form describes, without its budget.
fn described(form: &Form) -> Result<Value, Fault> {
    let identifier = form.text("identifier");
    Ok(json!({
        "name": form.text("name"),
        "campaign_identifier": if identifier.is_empty() { form.text("name") } else { identifier },
        "description": form.or_null("description"),
        "starts_at": form.moment("starts_at")?,
        "ends_at": form.moment("ends_at")?,
    }))
}

/// The budget of a new campaign, as bodies have it.
fn new_budget(form: &Form) -> Result<Value, Fault> {
    let kind = form.text("budget");
    if kind.is_empty() {
        return Ok(Value::Null);
    }
    let mut budget = json!({ "type": kind, "limit": form.number("budget_limit")? });
    if kind.starts_with("spend") {
        budget["currency_code"] = form.text("currency").into();
    }
    if kind.ends_with("_by_attribute") {
        budget["attribute"] = "customer_email".into();
    }
    Ok(budget)
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let mut body = described(&form)?;
    body["budget"] = new_budget(&form)?;
    let answer: Value = call.api().post("/admin/campaigns", &body).await?;
    let id = answer["campaign"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/campaigns").then(id), Done::Created))
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/campaigns").then(call.path("id"))
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let campaign: Campaign = call.api().one(route(&call).with("fields", FIELDS), "campaign").await?;
    let limit = campaign.budget.as_ref().map(|it| it.limit.map_or_else(String::new, |it| it.to_string()));
    let limit =
        limit.map(|it| Field::number("budget_limit", "The budget").value(it).hint("Empty: without a limit."));
    let settings = |form: &Blank<'_>| {
        html! { (shown(form, Some(&campaign))) (form.fields(limit.as_slice())) }
    };
    let body = html! {
        section class="card" {
            (facts([
                ("State", campaign.state(call.now())),
                ("When", period(campaign.starts_at, campaign.ends_at)),
                ("Used", campaign.budget(&call)),
            ]))
        }
        section class="card" { h2 { "Promotions" } (promotions(&call).await?) }
        section class="card" {
            h2 { "Name, time and budget" }
            (call.form_of(settings, &[Button::new("save", "Save")]))
        }
        (deletion(
            &call,
            &html! {},
            "Delete the campaign",
            "Its promotions are not applied any more. Delete the campaign?",
        ))
    };
    Ok(Page::new(campaign.name, body).below("/promotions", "Promotions").below("/campaigns", "Campaigns"))
}

async fn promotions(call: &PageCall) -> Result<Markup, Fault> {
    let address = Address::of("/admin/promotions")
        .with("campaign_id", call.path("id"))
        .with("fields", PROMOTION_FIELDS)
        .with("order", "code")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let promotions: Records<Promotion> = call.api().list(address, "promotions").await?;
    let rows = promotions.records.iter().map(|it| {
        vec![
            link(call, Address::of("/promotions").then(&it.id), &it.code),
            it.state(call.now()),
            it.effect(call),
            call.button(Button::new(&format!("remove {}", it.id), "Take out").of(&it.code)),
        ]
    });
    let code = Field::text("code", "Code of a promotion").required();
    Ok(html! {
        @if promotions.records.is_empty() { (nothing("No promotion yet.")) }
        @else { (table(&["Code", "State", "What it does", "Take out"], rows)) }
        (pager(call, &promotions))
        (call.form("add", "Add to the campaign", &[code]))
    })
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "save" => {
            let mut body = described(&form)?;
            if !form.nested("budget_limit").is_null() {
                body["budget"] = json!({ "limit": form.number("budget_limit")? });
            }
            call.api().post::<Value>(route(&call), &body).await.map(drop)?;
        }
        "add" => {
            #[derive(Deserialize)]
            struct Found {
                id: String,
            }
            let address = Address::of("/admin/promotions").then(form.text("code")).with("fields", "id");
            let found: Found = call.api().one(address, "promotion").await?;
            moved(&call, &json!({ "add": [found.id] })).await?;
        }
        "remove" => moved(&call, &json!({ "remove": [form.of_id()] })).await?,
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/campaigns", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(Next::to(Address::of("/campaigns").then(call.path("id")), Done::Saved))
}

async fn moved(call: &PageCall, body: &Value) -> Result<(), Fault> {
    call.api().post::<Value>(route(call).then("promotions"), body).await.map(drop)
}
