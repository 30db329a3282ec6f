//! Retention: removes old events that every subscriber has processed, old saga runs, and stored answers of
//! `Idempotency-Key`.

use std::time::Duration;

use atoll_kernel::{Actor, Ctx, Fault, Moment, StoreError, Write, jobs::events_after};
use atoll_storage::{event_positions, remove_event};
use tokio::sync::watch;

use crate::{position_of, run::every, why};

/// Retention of processed events: a week, for investigations.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Entries per transaction, so that other writes need not wait long.
const N_REMOVED_MAX: usize = 500;

pub(crate) async fn run(ctx: Ctx, pause: Duration, stopped: watch::Receiver<bool>) {
    let remove = || async {
        if let Err(error) = ctx.purge_runs().await {
            tracing::error!(error = why(&error), "old runs were not removed");
        }
        repeat(&ctx, "answers", |ctx| async move { ctx.forget_answers(N_REMOVED_MAX).await }).await;
        repeat(&ctx, "events", |ctx| async move { prune(&ctx).await }).await;
    };
    every(&ctx, pause, stopped, remove).await;
}

/// Removes old entries in batches, one transaction each.
async fn repeat<R>(ctx: &Ctx, what: &str, remove: impl Fn(Ctx) -> R)
where
    R: Future<Output = Result<usize, Fault>>,
{
    loop {
        match remove(ctx.clone()).await {
            Ok(N_REMOVED_MAX) => {}
            Ok(_) => return,
            Err(error) => return tracing::error!(error = why(&error), what, "old entries were not removed"),
        }
    }
}

/// Removes old events that every subscriber has processed. Returns their number.
pub async fn prune(ctx: &Ctx) -> Result<usize, Fault> {
    let Some(last) = last_old(ctx)? else { return Ok(0) };
    let remove = move |tx: &mut dyn Write, _: &Moment| {
        let old = event_positions(tx, last, N_REMOVED_MAX)?;
        old.iter().for_each(|position| remove_event(tx, *position));
        Ok(old.len())
    };
    Ok(ctx.write(Actor::System, remove).await?.0)
}

/// The last old event that every subscriber has processed, or one shortly before it. An event with a time in
/// the future was written while the clock was ahead, and counts as old as the next one.
fn last_old(ctx: &Ctx) -> Result<Option<u64>, StoreError> {
    let (view, now) = (ctx.view(), ctx.now());
    let mut seen = u64::MAX;
    for subscriber in &ctx.registry().subscribers {
        seen = seen.min(position_of(&view, subscriber.name)?.unwrap_or(0));
    }
    let (mut looked_at, mut last) = (0, None);
    while last.is_none() {
        let events = events_after(&view, looked_at, N_REMOVED_MAX)?;
        let Some((end, _)) = events.last() else { return Ok(None) };
        looked_at = *end;
        for (position, event) in events {
            let is_old = event.at.plus_millis(KEPT_MS) <= now;
            if position > seen || !is_old && !event.at.is_ahead_of(now) {
                return Ok(last);
            }
            last = if is_old { Some(position) } else { last };
        }
    }
    Ok(last)
}
