//! Runs of sagas: where each stands, its steps, why it failed; undoing again, forgetting, and running again.

use atoll_kernel::{Fault, FaultKind, Timestamp};
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, Records, admin_page, badge, facts,
    hint, html, link, moment, nothing, pager, table,
};
use serde::Deserialize;
use serde_json::{Value, json};

admin_page! {
    "/runs" as "Runs of sagas" in Operation 10 => list;
    "/runs/:id" => show, change;
}

/// Runs on a page.
const PAGE: usize = 50;

#[derive(Deserialize)]
struct Run {
    id: String,
    workflow_id: String,
    transaction_id: String,
    state: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(default)]
    execution: Value,
    #[serde(default)]
    context: Value,
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/workflows-executions")
        .with("state", call.query("state"))
        .with("order", "-created_at")
        .with("limit", PAGE)
        .with("offset", call.offset());
    let runs: Records<Run> = call.api().list(address, "workflow_executions").await?;
    let rows = runs.records.iter().map(|it| {
        vec![
            link(&call, Address::of("/runs").then(&it.id), &it.workflow_id),
            state(&it.state),
            moment(it.created_at),
            moment(it.updated_at),
        ]
    });
    let states = [
        ("", "any"),
        ("failed", "failed, and could not be undone"),
        ("compensating", "being undone"),
        ("reverted", "undone"),
        ("waiting", "waiting for an answer"),
        ("invoking", "running"),
        ("done", "done"),
    ];
    let body = html! {
        (call.search("/runs", "Show", &[Field::choice("state", "State", states).value(call.query("state"))]))
        @if runs.records.is_empty() { (nothing("There is no such run.")) }
        @else { (table(&["Saga", "State", "Begun", "Last change"], rows)) }
        (pager(&call, &runs))
    };
    Ok(Page::new("Runs of sagas", body))
}

fn state(state: &str) -> Markup {
    match state {
        "done" => badge("good", "Done"),
        "failed" => badge("bad", "Failed"),
        "compensating" => badge("warn", "Being undone"),
        "reverted" => badge("warn", "Undone"),
        "waiting" => badge("", "Waiting"),
        other => badge("", other),
    }
}

/// What is said when a run was repeated that failed then.
const WENT: &str = "The run was begun again; its record is among the other runs.";

/// What is asked before a run is repeated.
const AGAIN: &str = "What the run does is done once more. Run it again?";

async fn show(call: PageCall) -> Result<Page, Fault> {
    let address = Address::of("/admin/workflows-executions").then(call.path("id"));
    let run: Run = match call.api().one(address, "workflow_execution").await {
        // The run that was begun in its place has failed, as the page says.
        Err(fault) if fault.kind() == FaultKind::NotFound && call.refused().is_some() => {
            return Ok(Page::new("Run again", hint(WENT)).below("/runs", "Runs of sagas"));
        }
        run => run?,
    };
    let body = html! {
        section class="card" {
            (facts([
                ("State", state(&run.state)),
                ("Begun", moment(run.created_at)),
                ("Last change", moment(run.updated_at)),
                ("Transaction", html! { code { (run.transaction_id) } }),
            ]))
            @if run.state == "failed" {
                (hint("It failed, and what it had done could not be undone. Put right what stands in the way and \
                       undo it again, or put everything right by hand and forget it."))
                div class="buttons" {
                    (call.button(Button::new("undo", "Undo again")))
                    (call.button(Button::danger("forget", "Forget", "Nothing will be undone any more. Forget the run?")))
                }
            }
            @if matches!(&*run.state, "done" | "reverted") {
                (hint("Running it again begins a new run with the same input, in your name, which takes the place \
                       of this one. What it does is done once more, unless the process itself refuses that: a \
                       refund is paid a second time."))
                div class="buttons" { (call.button(Button::danger("repeat", "Run again", AGAIN))) }
            }
        }
        section class="card" { h2 { "Steps" } (steps(&run.execution)) }
        section class="card" { h2 { "Input, results and errors" } pre { (format!("{:#}", run.context)) } }
    };
    Ok(Page::new(run.workflow_id, body).below("/runs", "Runs of sagas"))
}

fn steps(execution: &Value) -> Markup {
    let steps = execution["steps"].as_object();
    let rows = steps.into_iter().flatten().map(|(name, step)| {
        let word =
            |of: &str| step[of]["state"].as_str().or(step[of]["status"].as_str()).unwrap_or("–").to_owned();
        vec![
            html! { (name.trim_start_matches("_root.")) },
            html! { (word("invoke")) },
            html! { (word("compensate")) },
        ]
    });
    table(&["Step", "Done", "Undone"], rows)
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let run = Address::of("/admin/workflows-executions").then(call.path("id"));
    match form.action() {
        "undo" => {
            call.api().post::<Value>(run.then("undo"), &json!({})).await?;
            Ok(Next::to(Address::of("/runs").then(call.path("id")), Done::Done))
        }
        "repeat" => {
            call.api().post::<Value>(run.then("repeat"), &json!({})).await?;
            Ok(Next::to("/runs", Done::Done))
        }
        "forget" => {
            call.api().delete(run).await?;
            Ok(Next::to("/runs", Done::Deleted))
        }
        _ => Err(Fault::invalid("There is no such button")),
    }
}
