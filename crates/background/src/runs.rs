//! Looks after the runs of sagas: gives up steps that were waited for too long, and goes on with runs that nobody
//! goes on with.

use std::time::Duration;

use atoll_kernel::Ctx;
use tokio::sync::watch;

use crate::{run::every, why};

pub(crate) async fn run(ctx: Ctx, pause: Duration, stopped: watch::Receiver<bool>) {
    let tend = || async {
        if let Err(error) = ctx.tend_runs().await {
            tracing::error!(error = why(&error), "the runs of sagas were not looked after");
        }
    };
    every(&ctx, pause, stopped, tend).await;
}
