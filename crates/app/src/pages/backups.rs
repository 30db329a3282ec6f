//! Backups: those that there are, the one that is going on, and a button that makes one.

use atoll_kernel::{Fault, Timestamp, http::StatusCode};
use atoll_pages::{
    Button, Done, Form, Markup, Next, Page, PageCall, admin_page, badge, facts, hint, html, moment, nothing,
    table,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::system::bytes;

admin_page! {
    "/backups" as "Backups" in Operation 65 => show, start;
}

#[derive(Deserialize)]
struct Backups {
    backups: Vec<File>,
    backup: Status,
}

#[derive(Deserialize)]
struct File {
    name: String,
    position: u64,
    made_at: Timestamp,
    bytes: u64,
}

#[derive(Deserialize)]
struct Status {
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    n_copied: u64,
    n_keys: u64,
    error: Option<String>,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let body = match call.api().get("/admin/backups").await {
        Ok(it) => listed(&call, &it),
        // No folder is set, or it is not there: that is for whoever runs the server.
        Err(fault) if fault.status() == StatusCode::BAD_REQUEST => html! {
            (nothing("There is no folder for backups."))
            (hint(format!("The server says: {fault}. The setting backup_dir names a folder.")))
        },
        Err(fault) => return Err(fault),
    };
    Ok(Page::new("Backups", body))
}

fn listed(call: &PageCall, Backups { backups, backup }: &Backups) -> Markup {
    let is_running = backup.started_at.is_some() && backup.ended_at.is_none();
    let rows = backups.iter().map(|it| {
        vec![
            moment(it.made_at),
            html! { code { (it.name) } },
            html! { (it.position) },
            html! { (bytes(it.bytes)) },
        ]
    });
    html! {
        (hint("Everything that is stored, as of one commit, in one file; without uploaded files. The shop goes on \
               selling meanwhile."))
        section class="card" {
            @match backup.started_at {
                None => (nothing("No backup was made since this server was started.")),
                Some(begun) => (state(backup, begun)),
            }
            div class="buttons" {
                @if is_running { a class="button quiet" href=(call.to("/backups")) { "Look again" } }
                @else { (call.button(Button::new("start", "Back up now"))) }
            }
        }
        @if backups.is_empty() { (nothing("There is no backup in the folder.")) }
        @else { (table(&["Made", "File", "Up to commit", "Size"], rows)) }
    }
}

fn state(it: &Status, begun: Timestamp) -> Markup {
    let result = match (&it.error, it.ended_at) {
        (Some(error), _) => html! { (badge("bad", "Failed")) " " (error) },
        (None, Some(_)) => badge("good", "Made"),
        (None, None) => badge("", "Running"),
    };
    facts([
        ("The last one", result),
        ("Begun", moment(begun)),
        ("Ended", it.ended_at.map_or_else(|| html! { "–" }, moment)),
        ("Keys copied", html! { (it.n_copied) " of " (it.n_keys) }),
    ])
}

async fn start(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "start" => call.api().post::<Value>("/admin/backups", &json!({})).await?,
        _ => return Err(Fault::invalid("There is no such button")),
    };
    Ok(Next::to("/backups", Done::Done))
}
