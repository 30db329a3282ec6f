//! Periodic maintenance of saga runs: times out steps, resumes detached runs, retries compensation.

use std::time::Duration;

use atoll_kernel::Ctx;
use tokio::sync::watch;

use crate::{run::every, why};

pub(crate) async fn run(ctx: Ctx, pause: Duration, stopped: watch::Receiver<bool>) {
    let tend = || async {
        if let Err(error) = ctx.tend_runs().await {
            tracing::error!(error = why(&error), "the maintenance of saga runs failed");
        }
    };
    every(&ctx, pause, stopped, tend).await;
}
