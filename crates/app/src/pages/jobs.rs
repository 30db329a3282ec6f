//! Scheduled jobs: when each ran and runs next, run now, pause and resume.

use atoll_kernel::{Fault, Timestamp};
use atoll_pages::{
    Address, Button, Done, Form, Markup, Next, Page, PageCall, admin_page, badge, html, moment, nothing,
    table,
};
use serde::Deserialize;
use serde_json::{Value, json};

admin_page! {
    "/jobs" as "Jobs" in Operation 40 => list, change;
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    name: String,
    schedule: String,
    is_paused: bool,
    next_run_at: Option<Timestamp>,
    last_run: Option<Run>,
}

#[derive(Deserialize)]
struct Run {
    state: String,
    started_at: Timestamp,
    duration_ms: Option<u64>,
    error: Option<String>,
}

async fn list(call: PageCall) -> Result<Page, Fault> {
    let Jobs { jobs } = call.api().get("/admin/jobs").await?;
    let rows = jobs.iter().map(|it| row(&call, it));
    let body = html! {
        @if jobs.is_empty() { (nothing("No job is linked in.")) }
        @else { (table(&["Job", "Schedule", "Last run", "Took", "Next run", "Actions"], rows)) }
    };
    Ok(Page::new("Jobs", body))
}

fn row(call: &PageCall, job: &Job) -> Vec<Markup> {
    let (action, label) = if job.is_paused { ("resume", "Resume") } else { ("pause", "Pause") };
    vec![
        html! { (job.name) @if job.is_paused { " " (badge("warn", "Paused")) } },
        html! { code { (job.schedule) } },
        html! {
            @match &job.last_run {
                None => "never",
                Some(run) => {
                    (moment(run.started_at)) " "
                    @if let Some(error) = &run.error { (badge("bad", "Failed")) " " (error) }
                    @else { (badge("", &run.state)) }
                }
            }
        },
        html! { @if let Some(ms) = job.last_run.as_ref().and_then(|it| it.duration_ms) { (ms) " ms" } },
        html! { @if let Some(at) = job.next_run_at.filter(|_| !job.is_paused) { (moment(at)) } @else { "–" } },
        html! {
            (call.button(Button::new(&format!("run {}", job.name), "Run now").of(&job.name).quiet())) " "
            (call.button(Button::new(&format!("{action} {}", job.name), label).of(&job.name).quiet()))
        },
    ]
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    let action = match form.action() {
        it @ ("run" | "pause" | "resume") => it,
        _ => return Err(Fault::invalid("There is no such button")),
    };
    let address = Address::of("/admin/jobs").then(form.of_id()).then(action);
    call.api().post::<Value>(address, &json!({})).await?;
    Ok(Next::to("/jobs", Done::Done))
}
