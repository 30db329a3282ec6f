//! Periodic maintenance of saga runs: times out steps, resumes detached runs, retries compensation.

use std::time::Duration;

use atoll_kernel::Ctx;
use tokio::{sync::watch, task::JoinSet};

use crate::{
    run::{room, sleep},
    why,
};

/// What is resumed ends with the term, as this task does; where the host is stopped, it goes on for as long
/// as the process does.
pub(crate) async fn run(ctx: Ctx, pause: Duration, mut stopped: watch::Receiver<bool>) {
    let mut runs = JoinSet::new();
    while sleep(&ctx, ctx.now(), pause, &mut stopped).await && room(&ctx, &mut stopped).await {
        while runs.try_join_next().is_some() {}
        if let Err(error) = ctx.tend_runs(&mut runs).await {
            tracing::error!(error = why(&error), "the maintenance of saga runs failed");
        }
    }
    runs.detach_all();
}
