//! The background: subscribers and how far behind they are, dead letters, jobs, and sagas.

use std::fmt;

use atoll_background::{JobStatus, SubscriberStatus, job_run_counts, jobs, subscribers};
use atoll_kernel::{Ctx, Fault, saga::runs_by_state};

use crate::families::Families;

pub(crate) fn write(ctx: &Ctx, to: &mut Families<'_>) -> fmt::Result {
    if let Some(all) = read("subscribers", subscribers(ctx)) {
        write_subscribers(ctx, &all, to)?;
    }
    if let Some(all) = read("jobs", jobs(ctx)) {
        write_jobs(&all, to)?;
    }
    to.counters(
        "atoll_job_runs",
        "Runs of jobs that have ended, by their result",
        job_run_counts(ctx)
            .into_iter()
            .map(|(job, state, n)| ([("job_name", job), ("state", state.as_str())], n)),
    )?;
    let runs = read("sagas", runs_by_state(&ctx.view()).map_err(Fault::from)).unwrap_or_default();
    to.gauges(
        "atoll_saga_runs",
        "Runs of sagas that are not done: going on, waiting, being undone, or in need of an operator (failed)",
        runs.into_iter().map(|(state, n)| ([("state", state.as_str())], n as f64)),
    )
}

/// What cannot be read, because it is damaged, is logged and missing; the rest is shown.
pub(crate) fn read<T>(what: &str, read: Result<T, Fault>) -> Option<T> {
    read.inspect_err(|fault| {
        tracing::error!("the metrics of {what} cannot be read: {fault} {}", fault.causes())
    })
    .ok()
}

fn write_subscribers(ctx: &Ctx, all: &[SubscriberStatus], to: &mut Families<'_>) -> fmt::Result {
    let now = ctx.now();
    let mut gauges = |name: &str, help: &str, value: &dyn Fn(&SubscriberStatus) -> f64| {
        to.gauges(name, help, all.iter().map(|it| ([("subscriber", it.name)], value(it))))
    };
    gauges("atoll_outbox_behind_events", "Events that a subscriber has not come to", &|it| {
        it.n_waiting.unwrap_or(0) as f64
    })?;
    let help = "Age of the oldest event that a subscriber has not come to";
    gauges("atoll_outbox_behind_seconds", help, &|it| {
        it.oldest_waiting_at.map_or(0.0, |at| (now.millis() - at.millis()).max(0) as f64 / 1e3)
    })?;
    let help = "Failures so far of the event that a subscriber is given";
    gauges("atoll_subscriber_failures", help, &|it| f64::from(it.n_failed))?;
    let help = "Events on which a subscriber failed too often, which wait for an operator";
    gauges("atoll_dead_letters", help, &|it| it.n_dead_letters as f64)
}

fn write_jobs(all: &[JobStatus], to: &mut Families<'_>) -> fmt::Result {
    let last = || all.iter().filter_map(|it| Some((it.name, it.last_run.as_ref()?)));
    to.gauges(
        "atoll_job_last_run_timestamp_seconds",
        "When a job has begun last",
        last().filter_map(|(job, run)| Some(([("job_name", job)], run.started_at?.millis() as f64 / 1e3))),
    )?;
    to.gauges(
        "atoll_job_last_run_duration_seconds",
        "How long the last run of a job took",
        last().filter_map(|(job, run)| Some(([("job_name", job)], run.duration_ms? as f64 / 1e3))),
    )?;
    to.gauges(
        "atoll_job_last_run_failed",
        "Has the last run of a job failed, or was it abandoned?",
        last().map(|(job, run)| ([("job_name", job)], f64::from(run.has_failed()))),
    )?;
    to.gauges(
        "atoll_job_paused",
        "Does the schedule of a job stand still?",
        all.iter().map(|it| ([("job_name", it.name)], f64::from(it.is_paused))),
    )
}
