//! Admin routes of scheduled jobs and their runs: `/admin/jobs`, `/admin/job-runs`. An addition of ours to
//! the wire.

use atoll_background::jobs;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Part, Reply, Resource, Type, required},
    routes,
    serde_json::json,
};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    of JOB_RUN;
    /// Lists the jobs: what runs when, and the next time.
    Get "/admin/jobs" (Admin, ONE) => index: JOBS;
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
const JOB: Type = Type::Object(&[
    required("name", Type::Text).about("The name of the job."),
    required("schedule", Type::Text).about("A cron pattern or an interval, as in the source."),
    required("concurrency", Type::Words(&["allow", "forbid"]))
        .about("Whether a run may begin while another one runs."),
    required("n_runs_max", Type::NotNegative).or_null().about("Most runs; null is unlimited."),
    required("n_runs", Type::NotNegative).about("How often it has run."),
    required("next_run_at", Type::Date)
        .or_null()
        .about("Time of the next run; null if there is none, or no host has scheduled it yet."),
]);
const LIST: Params =
    list(&[any("id"), any("job"), any("state"), date("scheduled_for"), date("started_at")], 20);

/// Lists all jobs by name, without pagination: their number is fixed at link time.
async fn index(call: Call) -> Result<Reply, Fault> {
    let jobs = jobs(&call.app)?;
    Ok(Reply::json(&json!({ "count": jobs.len(), "jobs": jobs })))
}

async fn runs(call: Call) -> Result<Reply, Fault> {
    page(&JOB_RUN, &call, Vec::new())
}

async fn retrieve_run(call: Call) -> Result<Reply, Fault> {
    find(&JOB_RUN, &call, |id| format!("Job run with id: {id} was not found"))
}
