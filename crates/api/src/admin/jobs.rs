//! `/admin/jobs` and `/admin/job-runs`: what runs when, and how it went. Not of the wire; ours.

use atoll_background::jobs;
use atoll_kernel::{Answer, Call, Fault, Params, Reply, Resource, routes, serde_json::json};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    of JOB_RUN;
    Get "/admin/jobs" (Admin, ONE) => index: Answer::Object;
    Get "/admin/job-runs" (Admin, LIST) => runs;
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

/// There are as many as are linked in: all of them, by name.
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
