//! Serving: HTTP and background tasks, until a signal starts the graceful shutdown.

use std::{
    future::pending,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use atoll_background::{Pace, keep_measuring, measure_disk};
use atoll_flows::cart::unable_to_ship;
use atoll_kernel::{
    Ctx,
    data::Store,
    http::{App as _, beside, router},
    limits::LEADER_CHANGE_GRACE,
};
use atoll_metrics::Metrics;
use atoll_storage::Standing;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::{
    Application, Health, Membership, Role, cluster::Leadership, command::cannot_ship, http, supervisor,
};

/// Open connections to the metrics: a Prometheus and a supervisor, or a few of each.
const METRICS_CONNECTIONS_MAX: usize = 32;

/// How an application is served.
pub(crate) struct Serving {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<http::Tls>,
    /// Where metrics and health checks are asked for.
    pub(crate) metrics: Option<TcpListener>,
    pub(crate) role: Role,
    pub(crate) pace: Pace,
    pub(crate) limits: http::Limits,
    /// How long a shutdown goes on answering before it stops.
    pub(crate) drain_delay: Duration,
    /// Where it is served, for the supervisor.
    pub(crate) at: String,
    /// Where its pages are, if there are some.
    pub(crate) pages: Option<String>,
    pub(crate) stop: StopSignals,
}

impl Serving {
    /// Serves until a signal; then finishes running requests and waiting writes.
    pub(crate) async fn serve(self, app: Application) -> anyhow::Result<()> {
        let Serving { listener, tls, metrics, role, pace, limits, drain_delay, at, pages, stop } = self;
        let Application { ctx, router: all, cluster, mut membership, admin, .. } = app;
        let ctx = &ctx;
        let store = ctx.store().clone();
        let health = Health::of(ctx, &cluster);
        let hits = ctx.counters().limits_hit().clone();
        if let Some(listener) = metrics {
            tracing::info!(address = %listener.local_addr()?, "serving metrics and health checks");
            tokio::spawn(serve_metrics(listener, ctx.clone(), health.clone()));
        }
        warn_of_shipping(ctx.clone());
        let seen = cluster.seen();
        let leadership =
            Leadership { ctx: ctx.clone(), role, pace, health: health.clone(), seen, admin, pages };
        let mut leadership = leadership.start(membership.as_ref()).await?;
        let failed = leadership.failed();
        // The start writes, whatever is free; the first request does not.
        measure_disk(ctx);
        let _measuring = keep_measuring(ctx);
        // Of several hosts, one that runs the background answers what the others hand to it.
        let router = match role {
            Role::Worker if !cluster.is_shared() => router(ctx.clone(), &[]),
            _ => all,
        };
        let router = router.merge(beside(ctx.clone(), health.router()));
        let (stopping, stopping_at) = oneshot::channel();
        let served = async {
            let stop = async {
                stop.received().await;
                health.drain();
                supervisor::stopping();
                tracing::info!("shutting down; finishing running requests");
                sleep(drain_delay).await;
                ctx.stop();
                let _ = stopping.send(Instant::now());
                handed_over(&store, limits.drain_timeout).await;
            };
            // Subscribers and jobs: when the shutdown begins, and not when the last client has read its
            // answer, since what would begin until then had no time left.
            let ended = async {
                let begun = stopping_at.await.unwrap_or_else(|_| Instant::now());
                let has_ended = timeout(limits.drain_timeout, leadership.stop()).await.is_ok();
                if leads_others(&store) {
                    // What has not ended was aborted: another host goes on with it.
                    drop(timeout(LEADER_CHANGE_GRACE, store.follow()).await);
                }
                (begun, has_ended)
            };
            supervisor::ready(&at);
            tokio::spawn(supervisor::beat(store.clone()));
            if let Some(tls) = &tls {
                tokio::spawn(tls.clone().keep_loaded());
            }
            let listener = http::Listener::new(listener, tls);
            let answered = http::serve(listener, router, limits, hits, stop);
            let (drained, (begun, has_ended)) = tokio::join!(answered, ended);
            // Requests whose clients have disconnected.
            let rest = limits.drain_timeout.saturating_sub(begun.elapsed());
            let is_answered = timeout(rest, ctx.until_answered()).await.is_ok();
            drained.n_cut == 0 && has_ended && is_answered
        };
        tokio::select! {
            is_whole = served => {
                if let Some(membership) = membership {
                    membership.leave().await;
                }
                store.close();
                if !is_whole {
                    bail!(
                        "some requests, subscribers or jobs were still running after {} s; they were aborted",
                        limits.drain_timeout.as_secs()
                    );
                }
                tracing::info!("stopped; the last commit is on disk");
                Ok(())
            }
            error = store.stopped() => bail!("{error}"),
            error = lost(membership.as_mut()) => Err(error),
            () = failed => bail!("what this host does for all has ended unexpectedly"),
        }
    }
}

/// Does this host lead, and is it not alone?
fn leads_others(store: &Store) -> bool {
    matches!(*store.standing().borrow(), Standing::Prepares | Standing::Leads)
}

/// Waits until a host that leads others has finished what it does for them, and they know of it: what they
/// send until then is answered.
async fn handed_over(store: &Store, max: Duration) {
    if leads_others(store) {
        drop(timeout(max, store.standing().wait_for(|it| *it == Standing::Follows)).await);
        sleep(LEADER_CHANGE_GRACE).await;
    }
}

/// Resolves when this host takes part no more; never if it is alone.
async fn lost(membership: Option<&mut Membership>) -> anyhow::Error {
    match membership {
        Some(membership) => membership.lost().await,
        None => pending().await,
    }
}

/// Serves metrics and health checks, to the end of the process: also while it drains.
async fn serve_metrics(listener: TcpListener, ctx: Ctx, health: Health) {
    let router = Metrics::of(&ctx).router().merge(health.router());
    let limits = http::Limits { connections_max: METRICS_CONNECTIONS_MAX, ..http::Limits::default() };
    http::serve(listener, router, limits, Arc::default(), pending()).await;
}

/// Names the channels whose carts cannot be completed.
fn warn_of_shipping(ctx: Ctx) {
    tokio::task::spawn_blocking(move || match unable_to_ship(&ctx.view(), ctx.now()) {
        Ok(channels) => channels.iter().for_each(|it| tracing::warn!("{}", cannot_ship(it))),
        Err(error) => tracing::error!(%error, "the shipping options of the channels could not be read"),
    });
}

/// The signals that stop the process: from a terminal, from a supervisor, or because the terminal was closed.
pub(crate) struct StopSignals([Signal; 3]);

impl StopSignals {
    /// Catches them: from here on none ends the process at once, and those that come are received later.
    pub(crate) fn catch() -> io::Result<StopSignals> {
        let [terminate, interrupt, hang_up] =
            [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        Ok(StopSignals([terminate?, interrupt?, hang_up?]))
    }

    /// Waits for one of them.
    async fn received(mut self) {
        let [terminate, interrupt, hang_up] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
}
