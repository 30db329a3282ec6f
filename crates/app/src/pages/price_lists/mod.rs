//! Price lists: the list, a new one, and what their forms ask for. `one.rs` is the page of one, `prices.rs`
//! has its prices and how others are added.

mod one;
mod prices;

use atoll_kernel::{Fault, Timestamp, part_of};
use atoll_pages::{
    Address, Blank, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge,
    hint, html, link, nothing, pager, period, table,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::audience::{Audience, GROUPS, HINT, OF_CHANNELS, OF_REGIONS, boxes, chosen};

part_of! { "price-list" }

admin_page! {
    "/price-lists" as "Price lists" in Sales 50 => list;
    "/price-lists/new" => ask, create;
}

/// Price lists on one page of the list.
const LIST_PAGE: usize = 25;

#[derive(Deserialize)]
struct PriceList {
    id: String,
    title: String,
    description: String,
    status: String,
    #[serde(rename = "type")]
    kind: String,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    #[serde(default)]
    rules: Map<String, Value>,
}

const FIELDS: &str = "id,title,description,status,type,starts_at,ends_at,rules";

/// Whom a list may be for, by the attribute of its rule.
const AUDIENCES: [(&str, Audience); 3] =
    [("customer.groups.id", GROUPS), ("region_id", OF_REGIONS), ("sales_channel_id", OF_CHANNELS)];

impl PriceList {
    /// Does it apply now, not yet, or not any more?
    fn state(&self, now: Timestamp) -> Markup {
        match self {
            _ if self.status != "active" => badge("", "Draft"),
            _ if self.ends_at.is_some_and(|it| it <= now) => badge("bad", "Over"),
            _ if self.starts_at.is_some_and(|it| it > now) => badge("warn", "Not yet"),
            _ => badge("good", "Applies"),
        }
    }

    /// What its prices do.
    fn kind(&self) -> &'static str {
        if self.kind == "override" { "Other prices" } else { "Sale" }
    }

    /// The values of a rule of it.
    fn values(&self, attribute: &str) -> Vec<String> {
        let values = self.rules.get(attribute).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Whom it is for, in numbers.
    fn audience(&self) -> String {
        let of = |(attribute, audience): &(&str, Audience)| {
            let n = self.values(attribute).len();
            (n > 0).then(|| format!("{}: {n}", audience.label))
        };
        let all: Vec<String> = AUDIENCES.iter().filter_map(of).collect();
        if all.is_empty() { "Everybody".to_owned() } else { all.join(", ") }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/price-lists")
        .with("fields", FIELDS)
        .with("q", call.query("q"))
        .with("order", "-created_at")
        .with("limit", LIST_PAGE)
        .with("offset", call.offset());
    let lists: Records<PriceList> = call.api().list(address, "price_lists").await?;
    let rows = lists.records.iter().map(|it| {
        vec![
            link(&call, Address::of("/price-lists").then(&it.id), &it.title),
            it.state(call.now()),
            html! { (it.kind()) },
            period(it.starts_at, it.ends_at),
            html! { (it.audience()) },
        ]
    });
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/price-lists/new")) { "New price list" } }
        (call.search("/price-lists", "Search", &[Field::line("search", "q", "Title").value(call.query("q"))]))
        @if lists.records.is_empty() {
            (nothing("No price list: a sale for a time, or the prices of a customer group, are one."))
        } @else { (table(&["Price list", "State", "Kind", "When", "For"], rows)) }
        (pager(&call, &lists))
    };
    Ok(Page::new("Price lists", body))
}

/// The fields of a price list.
struct Fields<'a> {
    texts: [Field<'a>; 2],
    terms: [Field<'a>; 4],
    audience: Vec<Field<'a>>,
}

impl Fields<'_> {
    async fn of(call: &PageCall, list: Option<&PriceList>) -> Result<Fields<'static>, Fault> {
        let text = |of: fn(&PriceList) -> &str| list.map_or("", of);
        let at = |of: fn(&PriceList) -> Option<Timestamp>| {
            list.and_then(of).map_or_else(String::new, |it| it.to_string())
        };
        let kinds =
            [("sale", "Sale: the lower price, beside the usual one"), ("override", "Other prices instead")];
        let states = [("active", "Applies within its time"), ("draft", "Draft")];
        let of = |attribute: &str| list.map_or_else(Vec::new, |it| it.values(attribute));
        Ok(Fields {
            texts: [
                Field::text("title", "Title").value(text(|it| &it.title)).required(),
                Field::text("description", "Description").value(text(|it| &it.description)),
            ],
            terms: [
                Field::choice("type", "Kind", kinds).value(text(|it| &it.kind)),
                Field::choice("status", "State", states).value(text(|it| &it.status)),
                Field::moment("starts_at", "From").value(at(|it| it.starts_at)),
                Field::moment("ends_at", "Until").value(at(|it| it.ends_at)),
            ],
            audience: boxes(call, &AUDIENCES, of).await?,
        })
    }

    fn shown(&self, form: &Blank<'_>) -> Markup {
        html! {
            (form.fields(&self.texts))
            div class="pairs" { (form.fields(&self.terms)) }
            (hint(HINT))
            (form.fields(&self.audience))
        }
    }
}

/// The price list that a form describes. Rules that the form does not ask for stay.
async fn described(call: &PageCall, form: &Form, before: Option<PriceList>) -> Result<Value, Fault> {
    let mut rules = before.as_ref().map(|it| it.rules.clone()).unwrap_or_default();
    for (attribute, audience) in &AUDIENCES {
        let before = before.as_ref().map_or_else(Vec::new, |it| it.values(attribute));
        rules.insert((*attribute).to_owned(), json!(chosen(call, form, audience, before).await?));
    }
    Ok(json!({
        "title": form.text("title"),
        "description": form.text("description"),
        "type": form.text("type"),
        "status": form.text("status"),
        "starts_at": form.moment("starts_at")?,
        "ends_at": form.moment("ends_at")?,
        "rules": rules,
    }))
}

async fn ask(call: PageCall) -> Result<Page, Fault> {
    let fields = Fields::of(&call, None).await?;
    let form = call.form_of(|form| fields.shown(form), &[Button::new("create", "Create")]);
    let body = html! { section class="card" { (form) (hint("Its prices come next.")) } };
    Ok(Page::new("New price list", body).below("/price-lists", "Price lists"))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let body = described(&call, &form, None).await?;
    let answer: Value = call.api().post("/admin/price-lists", &body).await?;
    let id = answer["price_list"]["id"].as_str().unwrap_or_default();
    Ok(Next::to(Address::of("/price-lists").then(id), Done::Created))
}
