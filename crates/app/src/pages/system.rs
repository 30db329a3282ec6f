//! What runs: the size of the data, the health of the store and of remembered answers, and everything that is
//! linked in.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{Markup, Page, PageCall, admin_page, badge, facts, hint, html, moment, table};
use serde::Deserialize;

admin_page! {
    "/system" as "System" in Operation 50 => show;
    "/system/linked" => linked;
}

#[derive(Deserialize)]
struct Counters {
    writer: Writer,
    answers: Option<Answers>,
    requests: Vec<Route>,
}

#[derive(Deserialize)]
struct Writer {
    queue: Summary,
    batch: Summary,
    body_ns: Summary,
    commit_ns: Summary,
    bytes_written: Summary,
}

#[derive(Deserialize)]
struct Summary {
    count: u64,
    sum: u64,
    p50: u64,
    p99: u64,
    max: u64,
}

#[derive(Deserialize)]
struct Answers {
    remembered: u64,
    missed: u64,
    bytes: u64,
}

#[derive(Deserialize)]
struct Route {
    method: String,
    path: String,
    time_ns: Summary,
}

#[derive(Deserialize)]
struct Storage {
    file_bytes: Option<u64>,
    free_bytes: Option<u64>,
    n_events: u64,
    oldest_event_at: Option<Timestamp>,
}

/// Routes that the page shows: those that took the most time together.
const ROUTES_SHOWN: usize = 20;

/// A route that waits until something happens, which is not time that it takes.
const WAITING: &str = "/admin/events/stream";

async fn show(call: PageCall) -> Result<Page, Fault> {
    let Counters { writer, answers, mut requests } = call.api().get("/admin/counters").await?;
    let storage: Storage = call.api().one("/admin/storage", "storage").await?;
    requests.retain(|it| it.path != WAITING);
    requests.sort_by_key(|it| std::cmp::Reverse(it.time_ns.sum));
    let body = html! {
        p class="buttons" { a class="button quiet" href=(call.to("/system/linked")) { "What is linked in" } }
        section class="card" { h2 { "Data" } (data(&storage)) }
        section class="card" {
            h2 { "The writer, since the start" }
            (facts([
                ("Commits", html! { (writer.commit_ns.count) }),
                ("Commit, median", html! { (ms(writer.commit_ns.p50)) }),
                ("Commit, 99 %", html! { (ms(writer.commit_ns.p99)) }),
                ("Transactions in a commit, most", html! { (writer.batch.max) }),
                ("Transactions that waited, 99 %", html! { (writer.queue.p99) }),
                ("Body of a transaction, 99 %", html! { (ms(writer.body_ns.p99)) }),
                ("Written", html! { (bytes(writer.bytes_written.sum)) }),
            ]))
        }
        section class="card" {
            h2 { "Remembered answers" }
            @match &answers {
                None => (hint("No answers are remembered, by the setting answers_bytes_max.")),
                Some(it) => (facts([
                    ("From memory", html! { (it.remembered) }),
                    ("Worked out", html! { (it.missed) }),
                    ("Memory", html! { (bytes(it.bytes)) }),
                ])),
            }
        }
        section class="card" {
            h2 { "Routes that took the most time" }
            (table(&["Route", "Requests", "Median", "99 %", "Longest"], requests.iter().take(ROUTES_SHOWN).map(row)))
        }
    };
    Ok(Page::new("System", body))
}

fn data(it: &Storage) -> Markup {
    let size = |n: Option<u64>, absent: &str| html! { @match n { Some(n) => (bytes(n)), None => (absent) } };
    facts([
        ("Database file", size(it.file_bytes, "in memory")),
        ("Left on its disk", size(it.free_bytes, "–")),
        ("Events in the outbox", html! { (it.n_events) }),
        ("The oldest of them", it.oldest_event_at.map_or_else(|| html! { "–" }, moment)),
    ])
}

fn row(route: &Route) -> Vec<Markup> {
    let time = &route.time_ns;
    vec![
        html! { code { (route.method) " " (route.path) } },
        html! { (time.count) },
        html! { (ms(time.p50)) },
        html! { (ms(time.p99)) },
        html! { (ms(time.max)) },
    ]
}

fn ms(ns: u64) -> String {
    format!("{:.2} ms", ns as f64 / 1e6)
}

/// A size in the unit that fits it.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n as f64 / 1e6),
        _ => format!("{:.1} GB", n as f64 / 1e9),
    }
}

#[derive(Deserialize)]
struct Registry {
    modules: Vec<Module>,
    links: Vec<Link>,
    flows: Vec<Flow>,
    hooks: Vec<Hook>,
    feature_flags: Vec<Flag>,
    settings: Vec<Setting>,
    n_routes: usize,
}

#[derive(Deserialize)]
struct Module {
    name: String,
    summary: String,
    is_on: bool,
}

#[derive(Deserialize)]
struct Link {
    name: String,
    left: String,
    right: String,
}

#[derive(Deserialize)]
struct Flow {
    name: String,
    kind: String,
}

#[derive(Deserialize)]
struct Hook {
    name: String,
    at: String,
}

#[derive(Deserialize)]
struct Flag {
    name: String,
    is_on: bool,
}

#[derive(Deserialize)]
struct Setting {
    module: String,
    name: String,
    about: String,
}

async fn linked(call: PageCall) -> Result<Page, Fault> {
    let it: Registry = call.api().one("/admin/registry", "registry").await?;
    let on = |is_on: bool| if is_on { badge("good", "On") } else { badge("", "Off") };
    let text = |text: &str| html! { (text) };
    let body = html! {
        (hint(format!("{} routes, which the API reference lists.", it.n_routes)))
        h2 { "Modules" }
        (table(&["Module", "State", "What for"], it.modules.iter().map(|it| {
            vec![text(&it.name), on(it.is_on), text(&it.summary)]
        })))
        h2 { "Links" }
        (table(&["Link", "From", "To"], it.links.iter().map(|it| {
            vec![text(&it.name), text(&it.left), text(&it.right)]
        })))
        h2 { "Flows and sagas" }
        (table(&["Name", "Kind"], it.flows.iter().map(|it| vec![text(&it.name), text(&it.kind)])))
        h2 { "Hooks" }
        (table(&["Hook", "At"], it.hooks.iter().map(|it| vec![text(&it.name), text(&it.at)])))
        h2 { "Pages" }
        (table(&["Page", "In the menu"], call.linked().pages.iter().map(|it| {
            vec![html! { code { (it.path) } }, text(it.place.map_or("–", |it| it.title))]
        })))
        h2 { "Feature flags" }
        (table(&["Flag", "State"], it.feature_flags.iter().map(|it| vec![text(&it.name), on(it.is_on)])))
        h2 { "Settings of modules" }
        (table(&["Setting", "Module", "What for"], it.settings.iter().map(|it| {
            vec![text(&it.name), text(&it.module), text(&it.about)]
        })))
    };
    Ok(Page::new("What is linked in", body).below("/system", "System"))
}
