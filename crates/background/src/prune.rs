//! Removes what is no longer asked for: events that everybody has seen, the records of runs that are over, answers
//! to requests with keys.

use std::time::Duration;

use atoll_kernel::{Actor, Ctx, Fault, events_after, remove_event};
use tokio::sync::watch;

use crate::{cursor::CURSORS, why};

/// How long events are kept after everybody has seen them: for whoever looks into what happened last week.
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Entries that one transaction removes: the writer is everybody's.
const N_REMOVED_MAX: usize = 500;

pub(crate) async fn run(ctx: Ctx, every: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stopped.wait_for(|it| *it) => return,
        }
        if let Err(error) = ctx.purge_runs().await {
            tracing::error!(error = why(&error), "old runs were not removed");
        }
        repeat(&ctx, "answers", |ctx| async move { ctx.forget_answers(N_REMOVED_MAX).await }).await;
        repeat(&ctx, "events", |ctx| async move { prune(&ctx).await }).await;
    }
}

/// Removes what is old, a little in each transaction.
async fn repeat<R>(ctx: &Ctx, what: &str, remove: impl Fn(Ctx) -> R)
where
    R: Future<Output = Result<usize, Fault>>,
{
    loop {
        match remove(ctx.clone()).await {
            Ok(N_REMOVED_MAX) => {}
            Ok(_) => return,
            Err(error) => return tracing::error!(error = why(&error), what, "what is old was not removed"),
        }
    }
}

/// Removes events that are old and that every subscriber is done with; says how many.
pub async fn prune(ctx: &Ctx) -> Result<usize, Fault> {
    let subscribers = ctx.registry().subscribers.clone();
    let remove = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        let mut seen = u64::MAX;
        for subscriber in &subscribers {
            seen = seen.min(CURSORS.read(tx, subscriber.name)?.map_or(0, |it| it.place));
        }
        let mut n_removed = 0;
        for (place, event) in events_after(tx, 0, N_REMOVED_MAX)? {
            if place > seen || event.at.plus_millis(KEPT_MS) > at.now() {
                break;
            }
            remove_event(tx, place);
            n_removed += 1;
        }
        Ok(n_removed)
    };
    Ok(ctx.write(Actor::System, remove).await?.0)
}
