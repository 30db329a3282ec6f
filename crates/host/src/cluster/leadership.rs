//! What one host does for all (leadership): it migrates, makes what a new shop has, resumes saga runs and
//! runs the background, from when it leads until it leads no more (term).

use std::{pin::pin, time::Duration};

use atoll_api_key::{ApiKeyKind, NewToken};
use atoll_background::{Background, Pace, maintain_runs, start};
use atoll_flows::{FirstRun, first_run, user::NewUser};
use atoll_kernel::{
    Actor, Ctx, Moment, Write,
    migration::{Plan, migrate, migrate_by},
};
use atoll_storage::Seen;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout, timeout_at},
};

use super::{Candidacy, Membership, Task};
use crate::{Health, Role, Secrets, Standing, secrets::Given, welcome::print_pages};

/// How long resumed saga runs keep a process from being ready: an external service that does not answer is no
/// reason to be without the shop.
const RECOVERY_MAX: Duration = Duration::from_secs(30);

/// Between two attempts to lead, if what the leader does first has failed: another host may try.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a host that is stopped waits for the requests that it answers as leader.
const HAND_OVER_MAX: Duration = Duration::from_secs(5);

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
    /// What this host knows of the others.
    pub(crate) seen: watch::Receiver<Seen>,
    /// The first admin of a new shop.
    pub(crate) admin: Option<NewUser>,
    /// Where the pages are, if there are some: it is said there how the first admin is made.
    pub(crate) pages: Option<String>,
}

/// The term of this host as leader: what runs in it, and ends at once when it is dropped.
struct Term {
    background: Background,
    /// What the term begins with: the resumption of saga runs, and what is said at the terminal.
    _beginning: JoinSet<()>,
}

impl Leadership {
    /// One host alone leads at once. One of several leads when it comes to it.
    pub(crate) async fn start(self, membership: Option<&Membership>) -> anyhow::Result<Task<()>> {
        let Some(membership) = membership else {
            let term = self.begin(&self.ctx.of_this_term()).await?;
            return Ok(Task::spawn(async |mut stopped: watch::Receiver<bool>| {
                drop(stopped.wait_for(|it| *it).await);
                term.stop().await;
            }));
        };
        // What there is to be resumed, the host that leads resumes.
        self.health.recovered();
        let (candidacy, given) = (membership.candidacy().clone(), membership.given().clone());
        Ok(Task::spawn(|stopped| self.run(candidacy, given, stopped)))
    }

    /// Begins and ends terms as this host comes to lead, until it is stopped.
    async fn run(self, candidacy: Candidacy, given: Given, mut stopped: watch::Receiver<bool>) {
        let mut standing = self.ctx.store().standing();
        let term = loop {
            let begun = async {
                standing.wait_for(|it| *it == Standing::Prepares).await.ok()?;
                Some(self.prepare_and_begin(&given).await)
            };
            let begun = tokio::select! {
                Some(begun) = begun => begun,
                _ = stopped.wait_for(|it| *it) => break None,
                // The store was closed.
                else => return,
            };
            match begun {
                Ok(term) => {
                    tokio::select! {
                        // Also when it leads again at once: that is another term.
                        _ = standing.wait_for(|it| *it != Standing::Leads) => {}
                        () = lapsed(self.seen.clone()) => {}
                        _ = stopped.wait_for(|it| *it) => break Some(term),
                    }
                    drop(term);
                    // A lease lapses while the writer still waits for the log.
                    if *standing.borrow() == Standing::Leads {
                        tokio::select! {
                            _ = self.ctx.store().follow() => {}
                            _ = stopped.wait_for(|it| *it) => break None,
                        }
                    }
                }
                Err((ctx, error)) => tokio::select! {
                    () = step_back(&ctx, &error, &candidacy) => {}
                    _ = stopped.wait_for(|it| *it) => break None,
                },
            }
        };
        // A term to which this host comes from here on, nobody would prepare.
        candidacy.withdraw(true);
        if let Some(term) = term {
            term.stop().await;
            if let Some(hosts) = &self.ctx.config().hosts {
                // What takes longer, such as a body that its client sends slowly, is refused by the log.
                drop(timeout(HAND_OVER_MAX, hosts.hand_over()).await);
            }
        }
        if *standing.borrow() != Standing::Follows {
            drop(self.ctx.store().follow().await);
        }
    }

    /// Does what comes before any other transaction of a term, and begins it. Errors: with the application
    /// of that term.
    async fn prepare_and_begin(&self, given: &Given) -> Result<Term, (Ctx, anyhow::Error)> {
        let ctx = self.ctx.to_prepare();
        let begun = async {
            prepare_term(&ctx, given, self.admin.as_ref()).await?;
            self.begin(&ctx).await
        };
        match begun.await {
            Ok(term) => {
                tracing::info!("this host leads");
                Ok(term)
            }
            Err(error) => Err((ctx, error)),
        }
    }

    /// Resumes what the last leader, or the last process, left open, starts the background, and opens the
    /// term to all who write: nothing that can fail comes after that.
    async fn begin(&self, ctx: &Ctx) -> anyhow::Result<Term> {
        let background = match self.role {
            Role::Shared | Role::Worker => start(ctx, self.pace).await?,
            Role::Server => maintain_runs(ctx, self.pace),
        };
        let mut beginning = JoinSet::new();
        beginning.spawn(recover(ctx.clone(), self.health.clone()));
        ctx.store().open_term().await?;
        if let Some(pages) = self.pages.clone() {
            beginning.spawn(print_pages(pages, ctx.clone()));
        }
        Ok(Term { background, _beginning: beginning })
    }
}

/// Resolves when the time is over for which this host knew that no other one leads: from then on another one
/// may do what is done once.
async fn lapsed(mut seen: watch::Receiver<Seen>) {
    // A term begins before its first beat.
    drop(seen.wait_for(|it| it.until.is_some()).await);
    loop {
        let Some(until) = seen.borrow_and_update().until else { return };
        match timeout_at(until.into(), seen.changed()).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// Leaves the leadership to another host, because what comes first in the term of this application has
/// failed.
async fn step_back(ctx: &Ctx, error: &anyhow::Error, candidacy: &Candidacy) {
    let error = format!("{error:#}");
    if ctx.store().is_over() {
        return tracing::warn!(error, "this host was deposed before it has led");
    }
    tracing::error!(error, "this host cannot lead");
    candidacy.withdraw(true);
    // A store that has stopped leads nobody.
    drop(ctx.store().follow().await);
    sleep(PAUSE).await;
    candidacy.withdraw(false);
}

/// Does what comes before any other transaction of a term of one host of several, in this application of who
/// [prepares](Ctx::to_prepare) it: the data is migrated, a new shop has what it needs, and the secrets that
/// this host is given are the shop's.
pub(crate) async fn prepare_term(ctx: &Ctx, given: &Given, admin: Option<&NewUser>) -> anyhow::Result<()> {
    prepare(ctx, None, admin).await?;
    given.settle(ctx.store(), Secrets::in_use(ctx)).await?;
    Ok(())
}

impl Term {
    /// Waits for running subscribers and jobs. Saga runs that are still resumed then, the next leader, or the
    /// next process, resumes again.
    async fn stop(self) {
        self.background.stop().await;
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
        Ok(n_runs) => tracing::info!(n_runs, "resumed the saga runs that were left open"),
        Err(error) => tracing::error!(%error, "the open saga runs could not be read"),
    }
}
