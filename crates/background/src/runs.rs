//! Looks after the runs of sagas: gives up steps that were waited for too long, and goes on with runs that nobody
//! goes on with.

use std::time::Duration;

use atoll_kernel::Ctx;
use tokio::sync::watch;

use crate::why;

pub(crate) async fn run(ctx: Ctx, every: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            _ = stopped.wait_for(|it| *it) => return,
        }
        if let Err(error) = ctx.tend_runs().await {
            tracing::error!(error = why(&error), "the runs of sagas were not looked after");
        }
    }
}
