//! Runs the workers of modules, one task each; one that fails begins again after a pause.

use atoll_kernel::{
    Ctx,
    jobs::{Shift, Worker, subtask},
};
use tokio::sync::watch;

use crate::{
    outcome,
    run::{Pace, room, sleep},
};

pub(crate) async fn run(ctx: Ctx, worker: &'static Worker, pace: Pace, mut stopped: watch::Receiver<bool>) {
    let mut n_failed = 0;
    while room(&ctx, &mut stopped).await {
        let begun = ctx.now();
        // A panic ends it alone.
        let ended = subtask((worker.run)(ctx.clone(), Shift::new(&ctx, stopped.clone()))).await;
        if *stopped.borrow() {
            return;
        }
        let error = outcome(ended, None).err().map_or_else(|| "it ended".to_owned(), |it| it.why);
        tracing::error!(worker = worker.name, error, "a worker failed, and begins again after a pause");
        // One that ran for long was well in between.
        n_failed = if ctx.now() >= begun.plus(pace.longest) { 1 } else { n_failed + 1 };
        sleep(&ctx, ctx.now(), pace.pause(n_failed), &mut stopped).await;
    }
}
