//! The list of jobs for admins: schedule, runs so far, next run.

use atoll_kernel::{Ctx, Fault, Timestamp};
use serde::Serialize;

use crate::job_run::Progress;

/// A job and its progress.
#[derive(Debug, Serialize)]
pub struct JobStatus {
    /// Name of the job.
    pub name: &'static str,
    /// Cron pattern or interval, as in the source.
    pub schedule: String,
    /// `allow` or `forbid` concurrent runs.
    pub concurrency: &'static str,
    /// Most runs; null is unlimited.
    pub n_runs_max: Option<u64>,
    /// Number of runs so far.
    pub n_runs: u64,
    /// Time of the next run; null if there is none, or no host has scheduled it yet.
    pub next_run_at: Option<Timestamp>,
}

/// All jobs, by name.
pub fn jobs(ctx: &Ctx) -> Result<Vec<JobStatus>, Fault> {
    let view = ctx.view();
    let mut jobs = Vec::new();
    for job in &ctx.registry().jobs {
        let plan = job.schedule.plan().map_err(Fault::unexpected)?;
        let progress = Progress::of(&view, job)?;
        let has_begun = progress != Progress::default();
        jobs.push(JobStatus {
            name: job.name,
            schedule: job.schedule.to_string(),
            concurrency: if job.may_overlap { "allow" } else { "forbid" },
            n_runs_max: job.n_runs_max,
            n_runs: progress.n_runs,
            next_run_at: progress.next(job, &plan).filter(|_| has_begun),
        });
    }
    Ok(jobs)
}
