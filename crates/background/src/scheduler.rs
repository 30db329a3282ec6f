//! The scheduler of jobs: one task per job, which sleeps until the next time of its cron pattern or interval.

use std::{pin::pin, time::Duration};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Timestamp, Write,
    data::RowError,
    http::{OpenSpan, SpanKind},
    jobs::{Job, Plan, Tick, subtask},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    job_run::{self, LEASE_MS, Progress},
    jobs::RunCounts,
    outcome,
    run::room,
    why,
};

/// What the scheduler does next.
enum Next {
    /// A run was started.
    Run { id: String, tick: Tick },
    /// Nothing to do before this time.
    Wait(Timestamp),
    /// The job has run as often as it may.
    Over,
}

/// The runs of one job.
#[derive(Clone)]
pub(crate) struct Scheduler {
    pub(crate) ctx: Ctx,
    pub(crate) job: &'static Job,
    pub(crate) plan: Plan,
    /// Longest sleep: the clock of the machine may be set, or the machine may be suspended.
    pub(crate) look_every: Duration,
}

impl Scheduler {
    /// Reports missed runs.
    pub(crate) async fn catch_up(&self) -> Result<(), Fault> {
        let (job, plan) = (self.job, self.plan.clone());
        self.write(move |tx, at| job_run::catch_up(tx, at, job, &plan)).await
    }

    /// Runs one of the transactions of `job_run`. They are small, and made also while the disk has no room:
    /// no run of a job begins then.
    async fn write<T, F>(&self, body: F) -> Result<T, Fault>
    where
        F: FnOnce(&mut dyn Write, &Moment) -> Result<T, RowError> + Send + 'static,
        T: Send + 'static,
    {
        let (written, _) = self.ctx.finishing().write(Actor::System, move |tx, at| Ok(body(tx, at)?)).await?;
        Ok(written)
    }

    /// Runs the job by its schedule, until the scheduler is stopped or the job has run as often as it may.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut runs = JoinSet::new();
        while !*stopped.borrow() && room(&self.ctx, &mut stopped).await {
            let now = self.ctx.now();
            // The clock of the machine may be set, or the machine may be suspended.
            let latest = now.plus(self.look_every);
            let until = match self.next(now).await {
                Ok(Next::Run { id, tick }) => {
                    let run = self.clone().perform(id, tick, stopped.clone());
                    if self.job.may_overlap {
                        runs.spawn(run);
                        while runs.try_join_next().is_some() {}
                    } else {
                        run.await;
                    }
                    continue;
                }
                Ok(Next::Wait(until)) => until.min(latest),
                Ok(Next::Over) => break,
                Err(error) => {
                    tracing::error!(job = self.job.name, error = why(&error), "a job cannot be started");
                    latest
                }
            };
            tokio::select! {
                () = self.ctx.sleep_until(now, until) => {}
                _ = stopped.wait_for(|it| *it) => break,
            }
        }
        while runs.join_next().await.is_some() {}
    }

    async fn next(&self, now: Timestamp) -> Result<Next, Fault> {
        let job = self.job;
        let mut view = self.ctx.view();
        if Progress::of(&view, job)?.is_ahead_of(now) {
            self.write(move |tx, at| job_run::correct_future(tx, at, job)).await?;
            view = self.ctx.view();
        }
        let running = job_run::running(&view, job)?;
        if running.iter().any(|run| !run.is_alive(now)) {
            self.write(move |tx, at| job_run::abandon_expired(tx, at, job)).await?;
        }
        let progress = Progress::of(&view, job)?;
        let Some(next) = progress.next(job, &self.plan) else {
            let is_over = progress.is_over(job) && running.is_empty();
            return Ok(if is_over { Next::Over } else { Next::Wait(now.plus(self.look_every)) });
        };
        if next > now {
            return Ok(Next::Wait(next));
        }
        let plan = self.plan.clone();
        let begun = self.write(move |tx, at| job_run::begin(tx, at, job, &plan)).await?;
        let Some((run, n_runs)) = begun else {
            return Ok(Next::Wait(now.plus(self.look_every)));
        };
        let tick = Tick { scheduled_for: run.scheduled_for, n_runs };
        Ok(Next::Run { id: run.id.to_string(), tick })
    }

    /// Calls the job, renews the lease while it runs, and stores its result. A panic is an error like others.
    async fn perform(self, id: String, tick: Tick, stopped: watch::Receiver<bool>) {
        let name = self.job.name;
        let mut span = self.ctx.begin_trace(name, SpanKind::Internal, None);
        let called = subtask(call(self.ctx.in_span(span.as_ref()), self.job, tick, stopped));
        let mut called = pin!(called);
        let ended = loop {
            let now = self.ctx.now();
            tokio::select! {
                ended = &mut called => break ended,
                () = self.ctx.sleep_until(now, now.plus_millis(LEASE_MS / 3)) => {}
            }
            let id = id.clone();
            match self.write(move |tx, at| job_run::renew(tx, at, &id)).await {
                Ok(true) => {}
                Ok(false) => {
                    return tracing::error!(
                        job = name,
                        "a run was abandoned by another host; it was aborted"
                    );
                }
                Err(error) => {
                    tracing::error!(job = name, error = why(&error), "the lease of a run was not renewed");
                }
            }
        };
        let ended = outcome(ended, None);
        OpenSpan::note(&mut span, &ended);
        drop(span);
        let error = ended.err().map(|it| it.why);
        self.ctx.memory::<RunCounts>().count(name, error.is_some());
        if let Some(error) = &error {
            tracing::warn!(job = name, error, "a job failed");
        }
        let (job, plan) = (self.job, self.plan.clone());
        let end = self.write(move |tx, at| job_run::end(tx, at, job, &plan, &id, error.as_deref()));
        if let Err(error) = end.await {
            tracing::error!(job = name, error = why(&error), "the end of a job was not written");
        }
    }
}

/// Calls the job; once more if it failed while the disk had no room, since it is not to blame for that.
async fn call(
    ctx: Ctx,
    job: &'static Job,
    tick: Tick,
    mut stopped: watch::Receiver<bool>,
) -> Result<(), Fault> {
    loop {
        let ended = (job.run)(ctx.clone(), tick).await;
        if ended.is_ok() || ctx.room().is_there() || !room(&ctx, &mut stopped).await {
            return ended;
        }
    }
}
