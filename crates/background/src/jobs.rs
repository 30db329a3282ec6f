//! What admins see of jobs.

use atoll_kernel::{Ctx, Fault, Timestamp};
use serde::Serialize;

use crate::job_run::Standing;

/// A job, and where it stands.
#[derive(Debug, Serialize)]
pub struct JobStanding {
    /// Its name.
    pub name: &'static str,
    /// Its schedule, as it was written.
    pub schedule: String,
    /// `allow` or `forbid` runs at the same time.
    pub concurrency: &'static str,
    /// How often it runs at most.
    pub n_runs_max: Option<u64>,
    /// How often it has run.
    pub n_runs: u64,
    /// When it runs next; null where it never will, or where no host has taken it up yet.
    pub next_run_at: Option<Timestamp>,
}

/// All jobs, by name.
pub fn jobs(ctx: &Ctx) -> Result<Vec<JobStanding>, Fault> {
    let view = ctx.view();
    let mut jobs = Vec::new();
    for job in &ctx.registry().jobs {
        let plan = job.schedule.plan().map_err(Fault::unexpected)?;
        let standing = Standing::of(&view, job)?;
        let has_begun = standing != Standing::default();
        jobs.push(JobStanding {
            name: job.name,
            schedule: job.schedule.to_string(),
            concurrency: if job.may_overlap { "allow" } else { "forbid" },
            n_runs_max: job.n_runs_max,
            n_runs: standing.n_runs,
            next_run_at: standing.next(job, &plan).filter(|_| has_begun),
        });
    }
    Ok(jobs)
}
