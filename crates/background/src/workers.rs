//! Runs the workers of modules, one task each; one that fails begins again after a pause.

use atoll_kernel::{
    Ctx,
    jobs::{Shift, Worker},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    outcome,
    run::{Pace, room, sleep},
};

pub(crate) async fn run(ctx: Ctx, worker: &'static Worker, pace: Pace, mut stopped: watch::Receiver<bool>) {
    let mut n_failed = 0;
    while room(&ctx, &mut stopped).await {
        let begun = ctx.now();
        // It ends with this task, and a panic ends it alone.
        let mut task = JoinSet::new();
        task.spawn((worker.run)(ctx.clone(), Shift::new(&ctx, stopped.clone())));
        let Some(ended) = task.join_next().await else { return };
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
