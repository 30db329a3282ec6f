//! Jobs for admins: the list of them with schedule, runs so far, the last and the next run; running one now,
//! pausing its schedule, and going on with it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use atoll_kernel::{Ctx, Fault, Read, StoreError, Timestamp, data::skip_damaged, flow::Local, jobs::Job};
use serde::Serialize;

use crate::{
    BY_JOB, JOB_RUNS, JobRun, JobRunState,
    job_run::{self, Progress},
};

/// A job and its progress.
#[derive(Debug, Serialize)]
pub struct JobStatus {
    /// Name of the job.
    pub name: &'static str,
    /// Cron pattern or interval, as in the source, or the setting that says it.
    pub schedule: String,
    /// `allow` or `forbid` concurrent runs.
    pub concurrency: &'static str,
    /// Most runs; null is unlimited.
    pub n_runs_max: Option<u64>,
    /// Number of runs so far.
    pub n_runs: u64,
    /// Does its schedule stand still?
    pub is_paused: bool,
    /// Time of the next run; null if there is none, or no host has scheduled it yet. In the past if a run was
    /// asked for that has not begun.
    pub next_run_at: Option<Timestamp>,
    /// The last run that has begun.
    pub last_run: Option<LastRun>,
}

/// The last run of a job.
#[derive(Debug, Serialize)]
pub struct LastRun {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: JobRunState,
    /// Start time.
    pub started_at: Option<Timestamp>,
    /// End time; null while it is running.
    pub ended_at: Option<Timestamp>,
    /// Milliseconds from start to end; null while it is running.
    pub duration_ms: Option<i64>,
    /// Error of a failed run.
    pub error: Option<String>,
}

/// The runs that have ended since the start of the process, by job and state.
#[derive(Default)]
pub(crate) struct RunCounts(Mutex<BTreeMap<(&'static str, bool), u64>>);

impl RunCounts {
    pub(crate) fn count(&self, job: &'static str, has_failed: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((job, has_failed)).or_default() += 1;
    }
}

/// How many runs of each job were done, and how many have failed, since the start of the process.
pub fn job_run_counts(ctx: &Ctx) -> Vec<(&'static str, JobRunState, u64)> {
    let counts = ctx.memory::<RunCounts>();
    let counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    let state = |has_failed| if has_failed { JobRunState::Failed } else { JobRunState::Done };
    counts.iter().map(|(&(job, has_failed), n)| (job, state(has_failed), *n)).collect()
}

impl LastRun {
    /// Has it failed, or was it abandoned?
    pub fn has_failed(&self) -> bool {
        matches!(self.state, JobRunState::Failed | JobRunState::Abandoned)
    }

    fn of(run: JobRun) -> LastRun {
        // The clock may have been set back meanwhile.
        let took = |(start, end): (Timestamp, Timestamp)| (end.millis() - start.millis()).max(0);
        let duration_ms = run.started_at.zip(run.ended_at).map(took);
        LastRun {
            id: run.id.to_string(),
            state: run.state,
            started_at: run.started_at,
            ended_at: run.ended_at,
            duration_ms,
            error: run.error,
        }
    }
}

/// What an admin does with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAction {
    /// Runs it beside its schedule, at the latest ten seconds later, and also if it is paused.
    Run,
    /// Stops its schedule; a run that is going on ends.
    Pause,
    /// Goes on with its schedule from now; the times in between are not missed.
    Resume,
}

impl JobAction {
    /// Does it in a transaction. Errors: 404 for a job that is not linked in, 400 for a run of one that has
    /// run as often as it may.
    pub fn perform(self, ctx: &Ctx, local: &mut Local<'_>, name: &str) -> Result<(), Fault> {
        let job = linked(ctx, name)?;
        match self {
            JobAction::Run => {
                if !job_run::ask_for(local.tx, local.at, job)? {
                    return Err(Fault::not_allowed(format!("Job {name} has run as often as it may")));
                }
            }
            JobAction::Pause => job_run::pause(local.tx, local.at, job, true)?,
            JobAction::Resume => job_run::pause(local.tx, local.at, job, false)?,
        }
        Ok(())
    }
}

fn linked(ctx: &Ctx, name: &str) -> Result<&'static Job, Fault> {
    let job = ctx.registry().jobs.iter().find(|it| it.name == name).copied();
    job.ok_or_else(|| Fault::not_found(format!("Job with name: {name} was not found")))
}

/// All jobs, by name.
pub fn jobs(ctx: &Ctx) -> Result<Vec<JobStatus>, Fault> {
    let view = ctx.view();
    ctx.registry().jobs.iter().map(|job| status(ctx, &view, job)).collect()
}

/// The job with this name. Errors: 404 for one that is not linked in.
pub fn job(ctx: &Ctx, name: &str) -> Result<JobStatus, Fault> {
    status(ctx, &ctx.view(), linked(ctx, name)?)
}

fn status(ctx: &Ctx, view: &dyn Read, job: &'static Job) -> Result<JobStatus, Fault> {
    let plan = job.schedule.plan(&ctx.config().schedules).map_err(Fault::unexpected)?;
    let progress = Progress::of(view, job)?;
    let has_begun = progress != Progress::default();
    Ok(JobStatus {
        name: job.name,
        schedule: job.schedule.to_string(),
        concurrency: if job.may_overlap { "allow" } else { "forbid" },
        n_runs_max: job.n_runs_max,
        n_runs: progress.n_runs,
        is_paused: progress.is_paused,
        next_run_at: progress.next(job, &plan).filter(|_| has_begun),
        last_run: last_run(view, job)?.map(LastRun::of),
    })
}

fn last_run(view: &dyn Read, job: &Job) -> Result<Option<JobRun>, StoreError> {
    for id in JOB_RUNS.table.ids_by(view, &BY_JOB, &[job.name])?.iter().rev() {
        let run = skip_damaged(JOB_RUNS.table.get(view, id))?.flatten();
        if run.as_ref().is_some_and(|it| it.started_at.is_some()) {
            return Ok(run);
        }
    }
    Ok(None)
}
