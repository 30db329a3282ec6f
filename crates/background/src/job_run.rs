//! Runs of jobs: how one begins, renews its lease and ends. Each of these is one transaction, so that of
//! several hosts one runs the job, and the run of a host that died is seen by its expired lease.

use atoll_kernel::{
    Moment, Read, StoreError, Timestamp, Write,
    data::{RowError, Slots, skip_damaged},
    entity,
    jobs::{Job, Plan, Schedule},
    stored, words,
};
use serde::{Deserialize, Serialize};

use crate::{BY_JOB, JOB_RUNS};

/// Duration of the lease of a run; a host renews it after a third.
pub(crate) const LEASE_MS: i64 = 60_000;

/// Runs that are kept per job.
const N_RUNS_KEPT: usize = 50;

/// Upper bound of the count of missed runs: counting blocks the writer.
const N_MISSED_MAX: usize = 1_000;

words! {
    /// State of a run.
    pub enum JobRunState {
        /// It is running.
        #[default]
        Running = "running",
        /// It succeeded.
        Done = "done",
        /// It returned an error or panicked.
        Failed = "failed",
        /// Its lease expired: its host stopped or crashed.
        Abandoned = "abandoned",
        /// It did not start: no host was up, or the previous run was still running.
        Missed = "missed",
    }
}

entity! {
    /// A run of a job, or a report of missed runs.
    pub struct JobRun = "job_run" / "job_runs", "jobrun" {
        /// Name of the job.
        pub job: String,
        /// State of the run.
        pub state: JobRunState,
        /// Scheduled time; for missed runs, that of the last one.
        pub scheduled_for: Timestamp,
        /// Start time.
        pub started_at: Option<Timestamp>,
        /// End time.
        pub ended_at: Option<Timestamp>,
        /// Expiry of the lease.
        pub lease_until: Option<Timestamp>,
        /// Error of a failed run.
        pub error: Option<String>,
        /// Number of missed runs.
        pub n_missed: u32,
    }
    search [job, error]
}

stored! {
    /// Progress of a job along its schedule.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default)]
    pub(crate) struct Progress {
        /// Time up to which the schedule was processed.
        pub(crate) past: Timestamp,
        /// Number of started runs.
        pub(crate) n_runs: u64,
        /// Does its schedule stand still?
        pub(crate) is_paused: bool,
        /// When an admin asked for a run that has not begun yet.
        pub(crate) asked_for_at: Option<Timestamp>,
    }
}

/// Progress, by job.
pub(crate) const PROGRESS: Slots<Progress> = Slots::new("job.standing");

impl Progress {
    pub(crate) fn of(tx: &dyn Read, job: &Job) -> Result<Progress, StoreError> {
        Ok(PROGRESS.read(tx, job.name.as_bytes())?.unwrap_or_default())
    }

    /// Is any of its times in the future? The clock was ahead, and was set back since.
    pub(crate) fn is_ahead_of(&self, now: Timestamp) -> bool {
        [Some(self.past), self.asked_for_at].into_iter().flatten().any(|it| it.is_ahead_of(now))
    }

    /// Has the job run as often as it may?
    pub(crate) fn is_over(&self, job: &Job) -> bool {
        job.n_runs_max.is_some_and(|max| self.n_runs >= max)
    }

    /// Time of the next run; `None` if the job is paused, or has run as often as it may.
    pub(crate) fn next(&self, job: &Job, plan: &Plan) -> Option<Timestamp> {
        match self.asked_for_at {
            _ if self.is_over(job) => None,
            None if self.is_paused => None,
            None => plan.after(self.past),
            asked_for => asked_for,
        }
    }
}

/// Resets the times of a job to now that are in the future.
pub(crate) fn correct_future(tx: &mut dyn Write, at: &Moment, job: &Job) -> Result<(), RowError> {
    let (progress, now) = (Progress::of(tx, job)?, at.now());
    if progress.is_ahead_of(now) {
        let back = |it: Timestamp| if it.is_ahead_of(now) { now } else { it };
        let (past, asked_for_at) = (back(progress.past), progress.asked_for_at.map(back));
        PROGRESS.write(tx, job.name.as_bytes(), &Progress { past, asked_for_at, ..progress });
    }
    Ok(())
}

/// Asks for a run beside the schedule. It begins when the scheduler looks next, also if the job is paused;
/// after the run that is going on, unless runs may overlap. Returns false if the job has run as often as it
/// may.
pub(crate) fn ask_for(tx: &mut dyn Write, at: &Moment, job: &Job) -> Result<bool, StoreError> {
    let progress = Progress::of(tx, job)?;
    if progress.is_over(job) {
        return Ok(false);
    }
    let asked_for_at = progress.asked_for_at.or(Some(at.now()));
    PROGRESS.write(tx, job.name.as_bytes(), &Progress { asked_for_at, ..progress });
    Ok(true)
}

/// Stops the schedule of a job, or goes on with it from now; what it would have run in between is not missed.
pub(crate) fn pause(tx: &mut dyn Write, at: &Moment, job: &Job, is_paused: bool) -> Result<(), StoreError> {
    let progress = Progress::of(tx, job)?;
    if progress.is_paused != is_paused {
        PROGRESS.write(tx, job.name.as_bytes(), &Progress { is_paused, past: at.now(), ..progress });
    }
    Ok(())
}

/// Called when a host starts: reports the runs that were missed while no host was up. A new job, and one by a
/// setting, is scheduled from now on.
pub(crate) fn catch_up(tx: &mut dyn Write, at: &Moment, job: &Job, plan: &Plan) -> Result<(), RowError> {
    let Some(mut progress) = PROGRESS.read(tx, job.name.as_bytes())? else {
        PROGRESS.write(tx, job.name.as_bytes(), &Progress { past: at.now(), ..Progress::default() });
        return Ok(());
    };
    let is_alive = abandon_expired(tx, at, job)?;
    if let Schedule::Setting(_) = job.schedule {
        // It may be another one than before, or the first one.
        PROGRESS.write(tx, job.name.as_bytes(), &Progress { past: at.now(), ..progress });
        return Ok(());
    }
    if progress.next(job, plan).is_none() || (is_alive && !job.may_overlap) {
        return Ok(());
    }
    report_missed(tx, at, job, plan, &mut progress, at.now())?;
    PROGRESS.write(tx, job.name.as_bytes(), &progress);
    Ok(())
}

/// Starts the run of the latest scheduled time, under a lease. Returns it with the number of runs so far;
/// `None` if another host was faster or the previous run is still running. Scheduled times before the latest
/// one are reported as missed.
pub(crate) fn begin(
    tx: &mut dyn Write,
    at: &Moment,
    job: &Job,
    plan: &Plan,
) -> Result<Option<(JobRun, u64)>, RowError> {
    let mut progress = Progress::of(tx, job)?;
    let Some(next) = progress.next(job, plan).filter(|next| *next <= at.now()) else { return Ok(None) };
    if abandon_expired(tx, at, job)? && !job.may_overlap {
        return Ok(None);
    }
    let scheduled_for = match progress.asked_for_at.take() {
        Some(asked_for) => asked_for,
        None => {
            let scheduled_for = plan.last(at.now()).unwrap_or(next);
            report_missed(tx, at, job, plan, &mut progress, scheduled_for.plus_millis(-1))?;
            progress.past = if let Plan::EveryMs(_) = plan { at.now() } else { scheduled_for };
            scheduled_for
        }
    };
    progress.n_runs += 1;
    PROGRESS.write(tx, job.name.as_bytes(), &progress);
    let run = JobRun {
        job: job.name.to_owned(),
        scheduled_for,
        started_at: Some(at.now()),
        lease_until: Some(at.now().plus_millis(LEASE_MS)),
        ..JobRun::default()
    };
    Ok(Some((store(tx, at, run)?, progress.n_runs)))
}

/// Renews the lease. Returns false if another host has abandoned the run.
pub(crate) fn renew(tx: &mut dyn Write, at: &Moment, run: &str) -> Result<bool, RowError> {
    let is_running = is_running(tx, run)?;
    if is_running {
        let until = at.now().plus_millis(LEASE_MS);
        JOB_RUNS.update(tx, at, run, |it: &mut JobRun| it.lease_until = Some(until))?;
    }
    Ok(is_running)
}

fn is_running(tx: &dyn Read, run: &str) -> Result<bool, StoreError> {
    Ok(JOB_RUNS.get(tx, run)?.is_some_and(|it| it.state == JobRunState::Running))
}

/// Ends a run, unless it was abandoned. If runs must not overlap, scheduled times during the run are reported
/// as missed. An interval begins at the end of a run.
pub(crate) fn end(
    tx: &mut dyn Write,
    at: &Moment,
    job: &Job,
    plan: &Plan,
    run: &str,
    error: Option<&str>,
) -> Result<(), RowError> {
    if !is_running(tx, run)? {
        return Ok(());
    }
    JOB_RUNS.update(tx, at, run, |it: &mut JobRun| {
        it.state = if error.is_some() { JobRunState::Failed } else { JobRunState::Done };
        it.error = error.map(str::to_owned);
        it.ended_at = Some(at.now());
        it.lease_until = None;
    })?;
    if !job.may_overlap {
        let mut progress = Progress::of(tx, job)?;
        report_missed(tx, at, job, plan, &mut progress, at.now())?;
        if let Plan::EveryMs(_) = plan {
            progress.past = at.now();
        }
        PROGRESS.write(tx, job.name.as_bytes(), &progress);
    }
    Ok(())
}

/// Reports the scheduled times up to `until` as missed, unless the job is paused.
fn report_missed(
    tx: &mut dyn Write,
    at: &Moment,
    job: &Job,
    plan: &Plan,
    progress: &mut Progress,
    until: Timestamp,
) -> Result<(), RowError> {
    if progress.is_paused {
        return Ok(());
    }
    let Some(last) = plan.last(until).filter(|last| *last > progress.past) else { return Ok(()) };
    let n_missed = plan.count(progress.past, until, N_MISSED_MAX);
    progress.past = until;
    let run = JobRun {
        job: job.name.to_owned(),
        state: JobRunState::Missed,
        scheduled_for: last,
        n_missed: u32::try_from(n_missed).unwrap_or(u32::MAX),
        ..JobRun::default()
    };
    store(tx, at, run).map(drop)
}

/// The runs of the job in the state `running`.
pub(crate) fn running(tx: &dyn Read, job: &Job) -> Result<Vec<JobRun>, StoreError> {
    let mut runs = JOB_RUNS.table.list_undamaged_by(tx, &BY_JOB, &[job.name])?;
    runs.retain(|it| it.state == JobRunState::Running);
    Ok(runs)
}

impl JobRun {
    /// Is the lease valid? One that ends later than LEASE_MS from now is not: the clock was set back since.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now && until <= now.plus_millis(LEASE_MS))
    }
}

/// Abandons runs whose lease has expired. Returns whether a valid one is left.
pub(crate) fn abandon_expired(tx: &mut dyn Write, at: &Moment, job: &Job) -> Result<bool, RowError> {
    let mut is_alive = false;
    for run in running(tx, job)? {
        if run.is_alive(at.now()) {
            is_alive = true;
            continue;
        }
        JOB_RUNS.update(tx, at, &run.id, |it: &mut JobRun| {
            it.state = JobRunState::Abandoned;
            it.ended_at = it.lease_until.take();
        })?;
    }
    Ok(is_alive)
}

/// Stores a run, and deletes the oldest ones beyond the limit.
fn store(tx: &mut dyn Write, at: &Moment, run: JobRun) -> Result<JobRun, RowError> {
    let ids = JOB_RUNS.table.ids_by(tx, &BY_JOB, &[&run.job])?;
    for id in &ids[..ids.len().saturating_sub(N_RUNS_KEPT - 1)] {
        let run = skip_damaged(JOB_RUNS.table.get(tx, id))?.flatten();
        let is_over = run.is_some_and(|it| it.state != JobRunState::Running);
        if is_over {
            JOB_RUNS.delete(tx, at, id)?;
        }
    }
    JOB_RUNS.create(tx, at, run)
}
