//! Workers: functions of modules that run as long as the background does, for work that follows records of
//! the module rather than an event or a schedule: queues, connections.

use std::{
    future::{Future, pending},
    pin::Pin,
};

use tokio::{sync::watch, task::JoinSet};

use atoll_storage::Position;

use crate::{Ctx, Fault, Timestamp};

/// Runs from the start of the background until it stops. A worker that fails begins again after a pause. What
/// it has to do is in its records, so that a restart loses nothing; it does each thing at least once.
pub struct Worker {
    /// `module.verb-object`: `webhooks.deliver`.
    pub name: &'static str,
    /// The function.
    pub run: WorkerHandler,
}

/// An async function of the application and what a worker waits for.
pub type WorkerHandler = fn(Ctx, Shift) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

/// The time for which a worker runs: what it waits for, and the tasks that it has begun.
pub struct Shift {
    commits: watch::Receiver<Position>,
    stopped: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    is_closed: bool,
}

impl Shift {
    /// A shift that ends when the background is stopped.
    pub fn new(ctx: &Ctx, stopped: watch::Receiver<bool>) -> Shift {
        Shift { commits: ctx.store().commits(), stopped, tasks: JoinSet::new(), is_closed: false }
    }

    /// Is it to end? Then nothing new is begun.
    pub fn is_over(&self) -> bool {
        self.is_closed || *self.stopped.borrow()
    }

    /// Begins a task beside the worker. Its author limits how many there are.
    pub fn begin(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Waits for a commit since the last call, for the end of a task, for this time, or for the end of the
    /// shift. Returns early if the clock is set back. While the disk has no room it waits on: the worker
    /// could not write.
    pub async fn wait(&mut self, ctx: &Ctx, until: Option<Timestamp>) {
        let since = ctx.now();
        let its_time = async {
            match until {
                Some(until) => ctx.sleep_until(since, until).await,
                None => pending().await,
            }
        };
        tokio::select! {
            changed = self.commits.changed() => self.is_closed = changed.is_err(),
            Some(ended) = self.tasks.join_next() => log(ended),
            () = its_time => {}
            _ = self.stopped.wait_for(|it| *it) => return,
        }
        tokio::select! {
            () = ctx.room().until_there() => {}
            _ = self.stopped.wait_for(|it| *it) => {}
        }
    }

    /// Waits for the tasks that have begun.
    pub async fn finish(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            log(ended);
        }
    }
}

fn log(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of a worker ended unexpectedly");
    }
}

/// Registers a worker, above the function that it names.
///
/// ```
/// use atoll_kernel::{Ctx, Fault, jobs::Shift, worker};
///
/// worker! { "mail.send-queued" => send_queued }
///
/// async fn send_queued(ctx: Ctx, mut shift: Shift) -> Result<(), Fault> {
///     while !shift.is_over() {
///         // Sends what is queued, and waits for more.
///         shift.wait(&ctx, None).await;
///     }
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! worker {
    ($name:literal => $run:path) => {
        const _: () = {
            static WORKER: $crate::jobs::Worker =
                $crate::jobs::Worker { name: $name, run: |ctx, shift| Box::pin($run(ctx, shift)) };

            $crate::register! { $crate::jobs::Worker: &WORKER }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!("a worker is written\n\x20   \"mail.send-queued\" => async_function");
    };
}
