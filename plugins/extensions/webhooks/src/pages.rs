//! Pages for people: the webhooks, and the page of one with its deliveries, its test button and its secret.

use atoll_kernel::{
    Fault, Timestamp,
    http::StatusCode,
    serde_json::{Value, json},
};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge, copy,
    facts, hint, html, link, moment, nothing, pager, table,
};
use serde::Deserialize;

admin_page! {
    "/webhooks" as "Webhooks" in Settings 15 => list;
    "/webhooks/new" => ask_new, create;
    "/webhooks/:id" => show, change;
}

/// A webhook, as these pages show it.
#[derive(Deserialize)]
struct Webhook {
    id: String,
    url: String,
    description: Option<String>,
    events: Vec<String>,
    sales_channel_ids: Vec<String>,
    is_enabled: bool,
    switched_off: Option<String>,
    failing_since: Option<Timestamp>,
    secrets: Vec<SecretMark>,
}

#[derive(Deserialize)]
struct SecretMark {
    expires_at: Option<Timestamp>,
}

/// A webhook whose secret is shown, this once.
#[derive(Deserialize)]
struct Fresh {
    webhook: WithSecret,
}

#[derive(Deserialize)]
struct WithSecret {
    id: String,
    url: String,
    secret: String,
}

#[derive(Deserialize)]
struct Delivery {
    id: String,
    event: String,
    happened_at: Timestamp,
    state: String,
    n_attempts: u32,
    attempts: Vec<Attempt>,
    next_attempt_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Attempt {
    at: Timestamp,
    duration_ms: u64,
    status: Option<u16>,
    answer: Option<String>,
    error: Option<String>,
}

const FIELDS: &str =
    "id,url,description,events,sales_channel_ids,is_enabled,switched_off,failing_since,secrets";

/// Deliveries on the page of a webhook.
const DELIVERIES_PAGE: usize = 20;

/// Sales channels that a form offers.
const CHANNELS_MAX: usize = 100;

impl Webhook {
    fn title(&self) -> &str {
        self.description.as_deref().filter(|it| !it.is_empty()).unwrap_or(&self.url)
    }

    fn state(&self) -> Markup {
        match (self.switched_off.as_deref(), self.failing_since) {
            (Some("gone"), _) => badge("bad", "Off: it is not there any more"),
            (Some(_), _) => badge("bad", "Off: it failed for days"),
            (None, _) if !self.is_enabled => badge("warn", "Off"),
            (None, Some(since)) => html! { (badge("warn", "Failing")) " since " (moment(since)) },
            (None, None) => badge("good", "On"),
        }
    }
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/webhooks").with("fields", FIELDS).with("order", "url");
    let webhooks: Records<Webhook> =
        call.api().list(address.with("offset", call.offset()), "webhooks").await?;
    let rows = webhooks.records.iter().map(|it| {
        vec![
            link(&call, Address::of("/webhooks").then(&it.id), it.title()),
            html! { (it.url) },
            html! { (it.events.join(", ")) },
            it.state(),
        ]
    });
    let body = html! {
        div class="buttons" { a class="button" href=(call.to("/webhooks/new")) { "New webhook" } }
        @if webhooks.records.is_empty() { (nothing("Nothing is told of what happens here.")) }
        @else { (table(&["Webhook", "Address", "Events", "State"], rows)) }
        (pager(&call, &webhooks))
        (hint("A webhook tells another program what happens in the shop: an order was placed, a parcel was sent."))
    };
    Ok(Page::new("Webhooks", body))
}

/// The fields of a webhook; empty for a new one.
async fn fields<'a>(call: &PageCall, webhook: Option<&Webhook>) -> Result<Vec<Field<'a>>, Fault> {
    let of = |text: fn(&Webhook) -> &str| webhook.map(text).unwrap_or_default().to_owned();
    let events = webhook.map(|it| it.events.join("\n")).unwrap_or_default();
    let mut fields = vec![
        Field::line("url", "url", "Address").value(of(|it| &it.url)).required(),
        Field::text("description", "What it is for")
            .value(of(|it| it.description.as_deref().unwrap_or_default())),
        Field::area("events", "Events")
            .value(events)
            .required()
            .hint("One on each line. order.* is all that begin so, * is all there are."),
    ];
    if call.has("/channels") {
        let channels = channels(call).await?;
        let ticked = webhook.map(|it| it.sales_channel_ids.clone()).unwrap_or_default();
        let label = "Only these sales channels; none ticked: all of them";
        fields.push(Field::boxes("channels", label, channels, ticked));
    }
    Ok(fields)
}

/// Ids and names of the sales channels.
async fn channels(call: &PageCall) -> Result<Vec<(String, String)>, Fault> {
    #[derive(Deserialize)]
    struct Channel {
        id: String,
        name: String,
    }
    let address = Address::of("/admin/sales-channels")
        .with("fields", "id,name")
        .with("order", "name")
        .with("limit", CHANNELS_MAX);
    let channels: Records<Channel> = call.api().list(address, "sales_channels").await?;
    Ok(channels.records.into_iter().map(|it| (it.id, it.name)).collect())
}

/// What a form says of a webhook. `channels` are those that it has.
fn typed(call: &PageCall, form: &Form, channels: &[String]) -> Value {
    let mut body = json!({
        "url": form.text("url"),
        "description": form.or_null("description"),
        "events": form.text("events").split_whitespace().collect::<Vec<_>>(),
    });
    if call.has("/channels") {
        body["sales_channel_ids"] = json!(form.change("channels").of(channels.iter().map(String::as_str)));
    }
    body
}

async fn ask_new(call: PageCall) -> Result<Page, Fault> {
    let events: Value = call.api().get("/admin/webhook-events").await?;
    let names = events["webhook_events"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let body = html! {
        section class="card" {
            (hint("The answer to this form shows the secret, once: the program at this address needs it to know \
                   that what comes is from here."))
            (call.form("create", "Create", &fields(&call, None).await?))
        }
        (call.fold("The events", &[], html! { ul { @for name in names { li { code { (name) } } } } }))
    };
    Ok(Page::new("New webhook", body).below("/webhooks", "Webhooks"))
}

async fn create(call: PageCall, form: Form) -> Result<Next, Fault> {
    let made: Fresh = call.api().post("/admin/webhooks", &typed(&call, &form, &[])).await?;
    Ok(secret(&call, made))
}

/// The page that shows a secret. It is in no address, and no page that can be asked for again.
fn secret(call: &PageCall, Fresh { webhook: WithSecret { id, url, secret } }: Fresh) -> Next {
    let body = html! {
        section class="card" {
            p class="notice warn" role="status" { "Copy the secret now: it is not shown again." }
            p { code { (secret) } " " (copy(&secret)) }
            p { (link(call, Address::of("/webhooks").then(&id), "To the webhook")) }
        }
    };
    Next::Once(Page::new(url, body).below("/webhooks", "Webhooks"))
}

async fn of(call: &PageCall) -> Result<Webhook, Fault> {
    let address = Address::of("/admin/webhooks").then(call.path("id")).with("fields", FIELDS);
    call.api().one(address, "webhook").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let webhook = of(&call).await?;
    let fields = fields(&call, Some(&webhook)).await?;
    let body = html! {
        section class="card" {
            (facts([("State", webhook.state()), ("Address", html! { (webhook.url) })]))
            div class="buttons" {
                (call.button(Button::new("test", "Send a test")))
                @if webhook.is_enabled { (call.button(Button::new("off", "Switch off").quiet())) }
                @else { (call.button(Button::new("on", "Switch on"))) }
                (call.button(Button::danger("delete", "Delete", "It is told nothing any more. Delete the webhook?")))
            }
            @if !webhook.is_enabled {
                (hint("Switched on again, it is told what happens from then on, and what was on its way."))
            }
        }
        (deliveries(&call, &webhook).await?)
        section class="card" { h2 { "What it is told" } (call.form("save", "Save", &fields)) }
        (secrets(&call, &webhook))
    };
    Ok(Page::new(webhook.title(), body).below("/webhooks", "Webhooks"))
}

fn secrets(call: &PageCall, webhook: &Webhook) -> Markup {
    let old = webhook.secrets.iter().filter_map(|it| it.expires_at).filter(|it| call.now() < *it);
    let hours = [("24", "for a day"), ("168", "for a week"), ("0", "not at all: it was seen by others")];
    html! {
        section class="card" {
            h2 { "Secret" }
            @for until in old { p { "An old secret signs until " (moment(until)) "." } }
            (call.form("rotate", "New secret", &[Field::choice("keep", "The old one signs", hours).value("24")]))
        }
    }
}

async fn deliveries(call: &PageCall, webhook: &Webhook) -> Result<Markup, Fault> {
    let at = Address::of("/webhooks").then(&webhook.id);
    let address = Address::of("/admin/webhooks")
        .then(&webhook.id)
        .then("deliveries")
        .with("order", "-id")
        .with("state", call.query("state"))
        .with("limit", DELIVERIES_PAGE)
        .with("offset", call.offset());
    let page: Records<Delivery> = call.api().list(address, "webhook_deliveries").await?;
    let states =
        [("", "all"), ("pending", "on their way"), ("delivered", "delivered"), ("failed", "given up")];
    let rows = page.records.iter().map(|it| it.row(call));
    Ok(html! {
        section class="card" {
            h2 { "Deliveries" }
            (call.search(at, "Show", &[Field::choice("state", "Which", states).value(call.query("state"))]))
            @if page.records.is_empty() { (nothing("There are none.")) }
            @else { (table(&["Event", "Happened", "State", "Last attempt", "Actions"], rows)) }
            (pager(call, &page))
            @if page.records.iter().any(|it| it.state == "failed") {
                div class="buttons" { (call.button(Button::new("repeat-failed", "Send all that were given up again"))) }
            }
        }
    })
}

impl Delivery {
    fn row(&self, call: &PageCall) -> Vec<Markup> {
        let repeat = format!("repeat {}", self.id);
        let state = match (self.state.as_str(), self.next_attempt_at) {
            ("delivered", _) => badge("good", "Delivered"),
            ("failed", _) => badge("bad", "Given up"),
            (_, Some(next)) if self.n_attempts > 0 => html! { (badge("warn", "Again")) " " (moment(next)) },
            _ => badge("warn", "On its way"),
        };
        vec![
            html! { (self.event) },
            moment(self.happened_at),
            state,
            html! { @if let Some(it) = self.attempts.last() { (moment(it.at)) ": " (it.said()) } },
            call.button(Button::new(&repeat, "Send again").quiet().of(&self.event)),
        ]
    }
}

impl Attempt {
    /// What the receiver said, in a few words.
    fn said(&self) -> String {
        let reason = |status: u16| StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
        match (self.status, self.error.as_deref()) {
            (Some(status), _) => {
                let text =
                    self.answer.as_deref().filter(|_| !(200..300).contains(&status)).unwrap_or_default();
                let said = format!("{status} {} {text}", reason(status).unwrap_or_default());
                format!("{} in {} ms", said.trim(), self.duration_ms)
            }
            (None, error) => error.unwrap_or_default().to_owned(),
        }
    }
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let at = Address::of("/webhooks").then(call.path("id"));
    let address = Address::of("/admin/webhooks").then(call.path("id"));
    let mut done = Done::Saved;
    match form.action() {
        "save" => {
            let now = of(&call).await?;
            let body = typed(&call, &form, &now.sales_channel_ids);
            call.api().post::<Value>(address, &body).await?
        }
        "on" => call.api().post(address, &json!({ "is_enabled": true })).await?,
        "off" => call.api().post(address, &json!({ "is_enabled": false })).await?,
        "test" => return test(&call, address).await,
        "rotate" => {
            let hours: u64 = form.text("keep").parse().unwrap_or_default();
            let body = json!({ "keep_hours": hours });
            return Ok(secret(&call, call.api().post(address.then("rotate-secret"), &body).await?));
        }
        "repeat" => {
            done = Done::Done;
            call.api().post(address.then("deliveries").then(form.of_id()).then("repeat"), &json!({})).await?
        }
        "repeat-failed" => {
            done = Done::Done;
            call.api().post(address.then("deliveries").then("repeat-failed"), &json!({})).await?
        }
        "delete" => {
            call.api().delete(address).await?;
            return Ok(Next::to("/webhooks", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to(at, done))
}

/// Sends a test, and shows what became of it.
async fn test(call: &PageCall, address: Address) -> Result<Next, Fault> {
    #[derive(Deserialize)]
    struct Tested {
        has_succeeded: bool,
        attempt: Attempt,
    }
    let tested: Tested = call.api().post(address.then("test"), &json!({})).await?;
    let said = tested.attempt.said();
    match tested.has_succeeded {
        true => Ok(Next::to(Address::of("/webhooks").then(call.path("id")), Done::Done)),
        false => Err(Fault::not_allowed(format!("The test was not taken: {said}"))),
    }
}
