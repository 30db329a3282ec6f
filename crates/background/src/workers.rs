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
    while room(&ctx, &mut stopped).await {
        // It ends with this task, and a panic ends it alone.
        let mut task = JoinSet::new();
        task.spawn((worker.run)(ctx.clone(), Shift::new(&ctx, stopped.clone())));
        let Some(ended) = task.join_next().await else { return };
        if *stopped.borrow() {
            return;
        }
        let error = outcome(ended, None).err().map_or_else(|| "it ended".to_owned(), |it| it.why);
        tracing::error!(worker = worker.name, error, "a worker failed, and begins again after a pause");
        sleep(&ctx, ctx.now(), pace.longest, &mut stopped).await;
    }
}
