//! Events: the last ones and, by the script of the pages, those that happen while one looks.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{Address, Markup, Page, PageCall, admin_page, hint, html, moment, table};
use serde::Deserialize;
use serde_json::Value;

admin_page! {
    "/events" as "Events" in Operation 5 => list;
}

#[derive(Deserialize)]
struct Events {
    events: Vec<Event>,
    last: u64,
}

#[derive(Deserialize)]
struct Event {
    name: String,
    data: Value,
    happened_at: Timestamp,
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let Events { events, last } = call.api().get("/admin/events").await?;
    let stream = Address::of("/admin/events/stream").with("after", last).to_string();
    let body = html! {
        (hint("What has happened, as subscribers get it: the last hundred events, the newest first."))
        div data-events=(stream) {
            p class="hint" role="status" hidden { "Events that happen from now on appear by themselves." }
            (table(&["Event", "Happened", "Data"], events.iter().map(row)))
        }
    };
    Ok(Page::new("Events", body))
}

/// As the script of the pages makes it of an event that happens.
fn row(event: &Event) -> Vec<Markup> {
    vec![html! { (event.name) }, moment(event.happened_at), html! { code { (event.data.to_string()) } }]
}
