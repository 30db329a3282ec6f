//! Starting and stopping background tasks, and their timing: backoff, retries, polling intervals.

use std::time::Duration;

use atoll_kernel::{Ctx, Fault, Timestamp};
use tokio::{sync::watch, task::JoinSet};

use crate::{disk, dispatcher::Delivery, prune, runs, scheduler::Scheduler, workers};

/// Timing of background tasks.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Pause before the first retry of a subscriber; doubled with each failure (exponential backoff).
    pub first: Duration,
    /// Longest pause between retries.
    pub longest: Duration,
    /// Failures after which an event becomes a dead letter.
    pub n_failures_max: u32,
    /// Interval of retention.
    pub prune_every: Duration,
    /// Longest sleep of the scheduler, since the clock may be set, and interval of the maintenance of saga
    /// runs.
    pub look_every: Duration,
}

/// Ten attempts within about four minutes, in which an external service may be restarted.
impl Default for Pace {
    fn default() -> Self {
        Pace {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(120),
            n_failures_max: 10,
            prune_every: Duration::from_secs(3600),
            look_every: Duration::from_secs(10),
        }
    }
}

impl Pace {
    pub(crate) fn pause(&self, n_failed: u32) -> Duration {
        let factor = 1_u32.checked_shl(n_failed.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// Sleeps until `pause` after `since`. Returns whether to continue: not if it is stopped meanwhile.
pub(crate) async fn sleep(
    ctx: &Ctx,
    since: Timestamp,
    pause: Duration,
    stopped: &mut watch::Receiver<bool>,
) -> bool {
    tokio::select! {
        () = ctx.sleep_until(since, since.plus(pause)) => true,
        _ = stopped.wait_for(|it| *it) => false,
    }
}

/// Runs `body` repeatedly, with this pause before each run, until it is stopped; not while the disk has no
/// room, since it would write.
pub(crate) async fn every<R: Future<Output = ()>>(
    ctx: &Ctx,
    pause: Duration,
    mut stopped: watch::Receiver<bool>,
    body: impl Fn() -> R,
) {
    while sleep(ctx, ctx.now(), pause, &mut stopped).await && room(ctx, &mut stopped).await {
        body().await;
    }
}

/// Waits until the disk has room. Returns whether to continue: not if it is stopped meanwhile.
pub(crate) async fn room(ctx: &Ctx, stopped: &mut watch::Receiver<bool>) -> bool {
    let is_there = tokio::select! {
        () = ctx.room().until_there() => true,
        _ = stopped.wait_for(|it| *it) => false,
    };
    is_there && !*stopped.borrow()
}

/// The running background tasks.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Background {
    /// Waits for running subscribers and jobs, and starts no further ones.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a background task ended unexpectedly");
            }
        }
    }
}

/// Starts the measuring of the disk, which also a host needs that follows another one.
pub fn keep_measuring(ctx: &Ctx) -> Background {
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(disk::run(ctx.clone(), stopped));
    Background { stop, tasks }
}

/// Starts the tasks of every role: maintenance of saga runs, and retention. They write in this term alone.
pub fn maintain_runs(ctx: &Ctx, pace: Pace) -> Background {
    let ctx = ctx.of_this_term();
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(runs::run(ctx.clone(), pace.look_every, stopped.clone()));
    tasks.spawn(prune::run(ctx.clone(), pace.prune_every, stopped));
    Background { stop, tasks }
}

/// Starts these tasks, the dispatcher, the scheduler and the workers.
pub async fn start(ctx: &Ctx, pace: Pace) -> Result<Background, Fault> {
    let ctx = &ctx.of_this_term();
    let Background { stop, mut tasks } = maintain_runs(ctx, pace);
    let stopped = stop.subscribe();
    for subscriber in ctx.registry().subscribers.iter().copied() {
        tasks.spawn(Delivery::begin(ctx, subscriber, pace, stopped.clone()).await?.run());
    }
    for job in ctx.registry().jobs.iter().copied() {
        let plan = job.schedule.plan(&ctx.config().schedules).map_err(Fault::unexpected)?;
        let scheduler = Scheduler { ctx: ctx.clone(), job, plan, look_every: pace.look_every };
        scheduler.catch_up().await?;
        tasks.spawn(scheduler.run(stopped.clone()));
    }
    for worker in ctx.registry().workers.iter().copied() {
        tasks.spawn(workers::run(ctx.clone(), worker, pace, stopped.clone()));
    }
    Ok(Background { stop, tasks })
}
