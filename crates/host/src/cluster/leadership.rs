//! What one host does for all (leadership): it migrates, makes what a new shop has, resumes saga runs and runs
//! the background, from when it leads until it leads no more.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_background::{Background, Pace, maintain_runs, start};
use atoll_flows::{FirstRun, first_run, user::NewUser};
use atoll_kernel::{
    Actor, Ctx, Moment, Write,
    data::View,
    migration::{Plan, is_current, migrate, migrate_by},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::Membership;
use crate::{Health, Role, Standing};

/// How long resumed saga runs keep a process from being ready: an external service that does not answer is no
/// reason to be without the shop.
const RECOVERY_MAX: Duration = Duration::from_secs(30);

/// How long subscribers and jobs of a term that has ended may go on: they can write nothing any more, and the
/// next leader runs them anew.
const END_MAX: Duration = Duration::from_secs(10);

/// Between two attempts to lead, if what the leader does first has failed: another host may try.
const PAUSE: Duration = Duration::from_secs(1);

/// Migrates the data, by a plan that was made when it was opened, if there is one, and makes what a new shop
/// has, with this first admin.
pub(crate) async fn prepare(
    ctx: &Ctx,
    plan: Option<Plan>,
    admin: Option<&NewUser>,
) -> anyhow::Result<FirstRun> {
    match plan {
        Some(plan) => migrate_by(ctx.store(), plan).await?,
        None => migrate(ctx.store(), ctx.registry()).await?,
    }
    let token = NewToken::random(ApiKeyKind::Publishable)?;
    let (app, admin) = (ctx.clone(), admin.cloned());
    let run = move |tx: &mut dyn Write, at: &Moment| first_run(tx, at, &app, &token, admin.as_ref());
    Ok(ctx.write(Actor::System, run).await?.0)
}

/// The leadership of this host.
pub(crate) struct Leadership {
    pub(crate) ctx: Ctx,
    pub(crate) role: Role,
    pub(crate) pace: Pace,
    pub(crate) health: Health,
}

impl Leadership {
    /// One host alone leads at once. One of several takes part from now on, and leads when it comes to it;
    /// `admin` is the first one of a new shop, which it makes then.
    pub(crate) async fn start(
        self,
        membership: Option<Membership>,
        admin: Option<NewUser>,
    ) -> anyhow::Result<(Task<()>, Party)> {
        let Some(membership) = membership else {
            let background = self.begin().await?;
            let until = async |mut stopped: watch::Receiver<bool>| {
                drop(stopped.wait_for(|it| *it).await);
                background.stop().await;
            };
            return Ok((Task::spawn(until), Party(None)));
        };
        // What there is to be resumed, the host that leads resumes.
        self.health.recovered();
        let (has_failed, role, registry) = (Arc::<AtomicBool>::default(), self.role, self.ctx.registry());
        let may_lead = {
            let has_failed = has_failed.clone();
            move |view: &View| {
                let is_barred = role == Role::Server || has_failed.load(Ordering::Relaxed);
                !is_barred && is_current(view, registry).is_ok()
            }
        };
        let terms = Task::spawn(|stopped| self.run(admin, has_failed, stopped));
        let takes_part = |stopped| async move { membership.run(may_lead, stopped).await };
        Ok((terms, Party(Some(Task::spawn(takes_part)))))
    }

    /// Resumes what the last leader, or the last process, left open, and starts the background. It ends with
    /// this term.
    async fn begin(&self) -> anyhow::Result<Background> {
        tokio::spawn(recover(self.ctx.of_this_term(), self.health.clone()));
        Ok(match self.role {
            Role::Shared | Role::Worker => start(&self.ctx, self.pace).await?,
            Role::Server => maintain_runs(&self.ctx, self.pace),
        })
    }

    /// Begins and ends terms as this host comes to lead, until it is stopped. `has_failed` keeps it from leading
    /// for a while, after what the leader does first has failed.
    async fn run(
        self,
        admin: Option<NewUser>,
        has_failed: Arc<AtomicBool>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut standing = self.ctx.store().standing();
        loop {
            tokio::select! {
                is_open = until_leading(&mut standing) => if !is_open { return },
                _ = stopped.wait_for(|it| *it) => return,
            }
            let begun = async {
                prepare(&self.ctx, None, admin.as_ref()).await?;
                self.begin().await
            };
            match begun.await {
                Ok(background) => {
                    tokio::select! {
                        // Also when it leads again at once: that is another term.
                        _ = standing.changed() => {}
                        _ = stopped.wait_for(|it| *it) => {}
                    }
                    if timeout(END_MAX, background.stop()).await.is_err() {
                        tracing::warn!("some subscribers or jobs of a term that has ended were aborted");
                    }
                }
                Err(error) => {
                    tracing::error!(error = %format!("{error:#}"), "this host cannot lead");
                    has_failed.store(true, Ordering::Relaxed);
                    if self.ctx.store().follow().await.is_err() {
                        return;
                    }
                    tokio::select! {
                        () = sleep(PAUSE) => {}
                        _ = stopped.wait_for(|it| *it) => return,
                    }
                    has_failed.store(false, Ordering::Relaxed);
                }
            }
        }
    }
}

/// Waits until transactions run here. False: the store was closed.
async fn until_leading(standing: &mut watch::Receiver<Standing>) -> bool {
    standing.wait_for(|it| it.writes()).await.is_ok()
}

/// A task that is told to stop. It ends at once when this is dropped.
pub(crate) struct Task<T> {
    stop: watch::Sender<bool>,
    running: JoinSet<T>,
}

impl<T: Send + 'static> Task<T> {
    fn spawn<R: Future<Output = T> + Send + 'static>(
        run: impl FnOnce(watch::Receiver<bool>) -> R,
    ) -> Task<T> {
        let (stop, stopped) = watch::channel(false);
        let mut running = JoinSet::new();
        running.spawn(run(stopped));
        Task { stop, running }
    }

    /// Stops it, and waits for it.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(Err(error)) = self.running.join_next().await {
            tracing::error!(%error, "a task of the host ended unexpectedly");
        }
    }
}

/// This host among several; none of one that is alone.
pub(crate) struct Party(Option<Task<anyhow::Result<()>>>);

impl Party {
    /// Gives the leadership back.
    pub(crate) async fn leave(self) {
        if let Some(task) = self.0 {
            task.stop().await;
        }
    }

    /// Resolves when this host takes part no more, though it was not told to leave.
    pub(crate) async fn lost(&mut self) -> anyhow::Error {
        let ended = match &mut self.0 {
            Some(task) => task.running.join_next().await,
            None => pending().await,
        };
        match ended {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => error.into(),
            Some(Ok(Ok(()))) | None => anyhow!("this host takes part no more"),
        }
    }
}

/// Resumes what the last process left open. Concurrently with requests: a run may call an external service
/// that takes long to answer.
async fn recover(ctx: Ctx, health: Health) {
    let mut recovering = pin!(ctx.recover());
    let in_time = timeout(RECOVERY_MAX, &mut recovering).await;
    health.recovered();
    let ended = match in_time {
        Ok(ended) => ended,
        Err(_) => recovering.await,
    };
    match ended {
        Ok(0) => {}
        Ok(n_runs) => tracing::info!(n_runs, "resumed the saga runs that the last process left open"),
        Err(error) => tracing::error!(%error, "the open saga runs could not be read"),
    }
}
