//! Verification: whether what is stored fits together, looked at in the background.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Button, Done, Form, Markup, Next, Page, PageCall, admin_page, badge, facts, hint, html, moment, nothing,
    table,
};
use serde::Deserialize;
use serde_json::{Value, json};

admin_page! {
    "/verify" as "Verification" in Operation 60 => show, start;
}

/// Findings that the page shows; the API has more.
const FINDINGS_SHOWN: usize = 50;

#[derive(Deserialize)]
struct Verification {
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    n_checked: u64,
    report: Option<Report>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Report {
    n_findings: u64,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    kind: String,
    space: String,
    key: String,
    found: String,
    expected: String,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let it: Verification = call.api().one("/admin/verify", "verification").await?;
    let is_running = it.started_at.is_some() && it.ended_at.is_none();
    let body = html! {
        (hint("It reads everything that is stored, and compares it: checksums, indexes, counters, links, and the \
               rules between records. The shop goes on selling meanwhile."))
        section class="card" {
            @match it.started_at {
                None => (nothing("Nothing was verified since this server was started.")),
                Some(begun) => (state(&it, begun)),
            }
            div class="buttons" {
                @if is_running { a class="button quiet" href=(call.to("/verify")) { "Look again" } }
                @else { (call.button(Button::new("verify", "Verify now"))) }
            }
        }
        @if let Some(report) = it.report.as_ref().filter(|it| it.n_findings > 0) { (findings(report)) }
    };
    Ok(Page::new("Verification", body))
}

fn state(it: &Verification, begun: Timestamp) -> Markup {
    let result = match (&it.report, &it.error) {
        (Some(report), _) if report.n_findings == 0 => badge("good", "Nothing is wrong"),
        (Some(report), _) => badge("bad", &format!("{} findings", report.n_findings)),
        (None, Some(error)) => html! { (badge("warn", "Not finished")) " " (error) },
        (None, None) => badge("", "Running"),
    };
    facts([
        ("Result", result),
        ("Begun", moment(begun)),
        ("Ended", it.ended_at.map_or_else(|| html! { "–" }, moment)),
        ("Entries looked at", html! { (it.n_checked) }),
    ])
}

fn findings(report: &Report) -> Markup {
    let rows = report.findings.iter().take(FINDINGS_SHOWN).map(|it| {
        vec![
            html! { (it.kind) },
            html! { (it.space) },
            html! { code { (it.key) } },
            html! { (it.found) },
            html! { (it.expected) },
        ]
    });
    let n_shown = report.findings.len().min(FINDINGS_SHOWN) as u64;
    html! {
        h2 { "Findings" }
        (table(&["What", "Where", "Key", "Found", "Expected"], rows))
        @if report.n_findings > n_shown { (hint(format!("{} more are not shown.", report.n_findings - n_shown))) }
    }
}

async fn start(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "verify" => call.api().post::<Value>("/admin/verify/start", &json!({})).await?,
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to("/verify", Done::Done))
}
