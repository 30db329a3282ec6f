//! Admin routes of scheduled jobs and their runs: `/admin/jobs`, `/admin/job-runs`; running a job now, and
//! pausing it. An addition of ours to the wire.

use atoll_background::{JobAction, JobRunState, job, jobs};
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Resource, Type, required},
    routes,
    serde_json::json,
};

use crate::{
    reply::{find, once, page},
    tables::{NOTHING, ONE, any, date, list},
};

routes! {
    of JOB_RUN;
    /// Lists the jobs: what runs when, the last run, and the next time.
    Get "/admin/jobs" (Admin, ONE) => index: JOBS;
    /// Runs a job beside its schedule, within ten seconds, also if it is paused.
    /// While a run is going on, it waits for its end, unless runs of the job may overlap.
    Post "/admin/jobs/:name/run" (Admin, ONE, NOTHING) => run: ONE_JOB;
    /// Stops the schedule of a job, also beyond a restart. A run that is going on ends.
    Post "/admin/jobs/:name/pause" (Admin, ONE, NOTHING) => pause: ONE_JOB;
    /// Goes on with the schedule of a job from now. What it would have run meanwhile is not missed.
    Post "/admin/jobs/:name/resume" (Admin, ONE, NOTHING) => resume: ONE_JOB;
    /// Lists the runs of jobs, with their results.
    Get "/admin/job-runs" (Admin, LIST) => runs;
    /// Shows a run of a job.
    Get "/admin/job-runs/:id" (Admin, ONE) => retrieve_run;
}

static JOB_RUN: Resource = Resource {
    entity: "job_run",
    one: "job_run",
    many: "job_runs",
    fields: &[
        "id", "job", "state", "scheduled_for", "started_at", "ended_at", "lease_until", "error", "n_missed",
        "created_at", "updated_at",
    ],
    store_fields: None,
    renamed: &[],
};

const JOBS: Answer = Answer::Object(&[
    Part::value("count", Type::NotNegative, "How many there are; all of them are listed."),
    Part::value("jobs", Type::List(&JOB), "The jobs, by name."),
]);
const ONE_JOB: Answer = Answer::Object(&[Part::value("job", JOB, "The job after it.")]);
const JOB: Type = Type::Object(&[
    required("name", Type::Text).about("The name of the job."),
    required("schedule", Type::Text).about("A cron pattern or an interval, as in the source."),
    required("concurrency", Type::Words(&["allow", "forbid"]))
        .about("Whether a run may begin while another one runs."),
    required("n_runs_max", Type::NotNegative).or_null().about("Most runs; null is unlimited."),
    required("n_runs", Type::NotNegative).about("How often it has run."),
    required("is_paused", Type::Bool).about("Whether its schedule stands still."),
    required("next_run_at", Type::Date)
        .or_null()
        .about("Time of the next run; null if there is none, or no host has scheduled it yet."),
    required("last_run", LAST_RUN).or_null().about("The last run that has begun."),
]);
const LAST_RUN: Type = Type::Object(&[
    required("id", Type::Text).about("The run."),
    required("state", Type::Words(JobRunState::WORDS)).about("Its state."),
    required("started_at", Type::Date).about("When it began."),
    required("ended_at", Type::Date).or_null().about("When it ended; null while it is running."),
    required("duration_ms", Type::NotNegative).or_null().about("How long it took, in milliseconds."),
    required("error", Type::Text).or_null().about("Why it failed."),
]);
const LIST: Params =
    list(&[any("id"), any("job"), any("state"), date("scheduled_for"), date("started_at")], 20);

/// Lists all jobs by name, without pagination: their number is fixed at link time.
async fn index(call: Call) -> Result<Reply, Fault> {
    let jobs = jobs(&call.app)?;
    Ok(Reply::json(&json!({ "count": jobs.len(), "jobs": jobs })))
}

async fn run(call: Call) -> Result<Reply, Fault> {
    perform(call, JobAction::Run).await
}

async fn pause(call: Call) -> Result<Reply, Fault> {
    perform(call, JobAction::Pause).await
}

async fn resume(call: Call) -> Result<Reply, Fault> {
    perform(call, JobAction::Resume).await
}

async fn perform(call: Call, action: JobAction) -> Result<Reply, Fault> {
    let (app, name) = (call.app.clone(), call.path("name").to_owned());
    let ctx = app.clone();
    let of = name.clone();
    once(call, move |local| action.perform(&ctx, local, &of)).await?;
    Ok(Reply::json(&json!({ "job": job(&app, &name)? })))
}

async fn runs(call: Call) -> Result<Reply, Fault> {
    page(&JOB_RUN, &call, Vec::new())
}

async fn retrieve_run(call: Call) -> Result<Reply, Fault> {
    find(&JOB_RUN, &call, |id| format!("Job run with id: {id} was not found"))
}
