//! Admin routes of scheduled jobs and their runs: `/admin/jobs`, `/admin/job-runs`. An addition of ours to
//! the wire.

use atoll_background::jobs;
use atoll_kernel::{
    Fault,
    http::{Answer, Call, Params, Reply, Resource},
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
    Get "/admin/jobs" (Admin, ONE) => index: Answer::Object;
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
    offer: None,
    renamed: &[],
};

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
