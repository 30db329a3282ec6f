//! Promotions: the list, and what their pages share. `new.rs` makes one by one form, `one.rs` is the page of
//! one, `rules.rs` reads and shows conditions, and `campaigns.rs` has periods and budgets of several.

mod campaigns;
mod new;
mod one;
mod rules;

use atoll_kernel::{Decimal, Fault, Timestamp, part_of};
use atoll_pages::{
    Address, Field, Markup, Page, PageCall, Records, admin_page, badge, html, link, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::Value;

part_of! { "promotion" }

admin_page! {
    "/promotions" as "Promotions" in Sales 40 => list;
}

/// Promotions on one page of the list.
const LIST_PAGE: usize = 25;

/// A promotion, as these pages show it.
#[derive(Deserialize)]
struct Promotion {
    id: String,
    code: String,
    is_automatic: bool,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    limit: Option<u64>,
    used: u64,
    campaign_id: Option<String>,
    campaign: Option<Period>,
    application_method: Option<Method>,
}

/// The campaign of a promotion.
#[derive(Deserialize)]
struct Period {
    id: String,
    name: String,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

/// How much is discounted, and on what.
#[derive(Deserialize)]
struct Method {
    value: Decimal,
    currency_code: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    target_type: String,
    allocation: Option<String>,
    max_quantity: Option<Decimal>,
    apply_to_quantity: Option<Decimal>,
    buy_rules_min_quantity: Option<Decimal>,
    #[serde(default)]
    target_rules: Vec<Value>,
}

const FIELDS: &str = "id,code,is_automatic,type,status,limit,used,campaign_id,campaign.id,campaign.name,\
     campaign.starts_at,campaign.ends_at,application_method.value,application_method.currency_code,\
     application_method.type,application_method.target_type,application_method.allocation,\
     application_method.max_quantity,application_method.apply_to_quantity,\
     application_method.buy_rules_min_quantity,application_method.target_rules.id";

/// The states that a form offers.
const STATES: [(&str, &str); 3] = [("active", "In use"), ("draft", "Draft"), ("inactive", "Switched off")];

impl Promotion {
    /// Is it applied now? If not, why.
    fn state(&self, now: Timestamp) -> Markup {
        let campaign = self.campaign.as_ref();
        let ends_at = campaign.and_then(|it| it.ends_at);
        match &*self.status {
            "draft" => badge("", "Draft"),
            "inactive" => badge("", "Switched off"),
            _ if self.campaign_id.is_some() && campaign.is_none() => badge("bad", "Campaign deleted"),
            _ if self.limit.is_some_and(|it| self.used >= it) => badge("bad", "Used up"),
            _ if ends_at.is_some_and(|it| it <= now) => badge("bad", "Over"),
            _ if campaign.and_then(|it| it.starts_at).is_some_and(|it| it > now) => badge("warn", "Not yet"),
            _ => badge("good", "In use"),
        }
    }

    /// In how many orders it was used, of how many.
    fn uses(&self) -> String {
        match self.limit {
            Some(limit) => format!("{} of {limit}", self.used),
            None => self.used.to_string(),
        }
    }

    /// What it does, as a merchant says it: `10 % off all goods`.
    fn effect(&self, call: &PageCall) -> Markup {
        let Some(method) = &self.application_method else { return html! { "nothing" } };
        if self.kind == "buyget" {
            return method.buy_get(call);
        }
        let n = method.max_quantity.unwrap_or_default();
        html! {
            (method.value(call)) " off "
            @match (&*method.target_type, method.allocation.as_deref()) {
                ("shipping_methods", _) => "shipping",
                ("items", Some("each")) => { "up to " (n) " of each line" }
                ("items", Some("once")) => { "the " (n) " cheapest of the goods" }
                ("items", _) if method.target_rules.is_empty() => "all goods",
                ("items", _) if method.kind == "fixed" => "some goods together",
                ("items", _) => "some goods",
                _ => "all goods",
            }
        }
    }
}

impl Method {
    /// An amount or per cent.
    fn value(&self, call: &PageCall) -> Markup {
        match &self.currency_code {
            Some(code) if self.kind == "fixed" => call.money(self.value, code),
            _ => html! { (self.value) " %" },
        }
    }

    fn buy_get(&self, call: &PageCall) -> Markup {
        let (buy, get) = (self.buy_rules_min_quantity, self.apply_to_quantity);
        let is_free = self.kind == "percentage" && self.value == Decimal::from(100_u64);
        html! {
            "Buy " (buy.unwrap_or_default()) ", get " (get.unwrap_or_default()) " "
            @if is_free { "free" } @else { (self.value(call)) " cheaper" }
        }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/promotions")
        .with("fields", FIELDS)
        .with("q", call.query("q"))
        .with("order", "-created_at")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let promotions: Records<Promotion> = call.api().list(address, "promotions").await?;
    let rows = promotions.records.iter().map(|it| row(&call, it));
    let buy_get = Address::of("/promotions/new").with("kind", "buyget");
    let body = html! {
        div class="buttons" {
            a class="button" href=(call.to("/promotions/new")) { "New discount" }
            a class="button" href=(call.to(buy_get)) { "New buy and get" }
            a class="button quiet" href=(call.to("/campaigns")) { "Campaigns" }
        }
        (call.search("/promotions", "Search", &[Field::line("search", "q", "Code").value(call.query("q"))]))
        @if promotions.records.is_empty() { (nothing("There is no such promotion.")) }
        @else { (table(&["Code", "State", "What it does", "Who gets it", "Orders", "Campaign"], rows)) }
        (pager(&call, &promotions))
    };
    Ok(Page::new("Promotions", body))
}

fn row(call: &PageCall, promotion: &Promotion) -> Vec<Markup> {
    vec![
        link(call, Address::of("/promotions").then(&promotion.id), &promotion.code),
        promotion.state(call.now()),
        promotion.effect(call),
        html! { @if promotion.is_automatic { "every cart that fits" } @else { "who has the code" } },
        html! { (promotion.uses()) },
        html! {
            @if let Some(it) = &promotion.campaign {
                (link(call, Address::of("/campaigns").then(&it.id), &it.name))
            } @else { "–" }
        },
    ]
}
