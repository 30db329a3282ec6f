//! Subscribers: which events each follows, and how far behind it is.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Markup, Page, PageCall, admin_page, badge, hint, html, link, moment, nothing, table,
};
use serde::Deserialize;

admin_page! {
    "/subscribers" as "Subscribers" in Operation 30 => list;
}

#[derive(Deserialize)]
struct Subscribers {
    subscribers: Vec<Subscriber>,
}

#[derive(Deserialize)]
struct Subscriber {
    name: String,
    events: Vec<String>,
    n_waiting: Option<u64>,
    oldest_waiting_at: Option<Timestamp>,
    n_failed: u64,
    n_dead_letters: u64,
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let Subscribers { subscribers } = call.api().get("/admin/subscribers").await?;
    let rows = subscribers.iter().map(|it| row(&call, it));
    let body = html! {
        (hint("Events that wait are delivered in their order; a subscriber that fails tries again, later and later."))
        @if subscribers.is_empty() { (nothing("No subscriber is linked in.")) }
        @else { (table(&["Subscriber", "Events", "Waiting", "Oldest", "Failures", "Dead letters"], rows)) }
    };
    Ok(Page::new("Subscribers", body))
}

fn row(call: &PageCall, it: &Subscriber) -> Vec<Markup> {
    let letters = Address::of("/dead-letters").with("subscriber", &it.name);
    vec![
        html! { (it.name) },
        html! { (it.events.join(", ")) },
        html! {
            @match it.n_waiting {
                None => (badge("warn", "Never started")),
                Some(0) => (badge("good", "None")),
                Some(n) => (n),
            }
        },
        html! { @if let Some(at) = it.oldest_waiting_at { (moment(at)) } @else { "–" } },
        html! { @if it.n_failed > 0 { (badge("warn", &it.n_failed.to_string())) } @else { "–" } },
        html! { @if it.n_dead_letters > 0 { (link(call, letters, it.n_dead_letters)) } @else { "–" } },
    ]
}
