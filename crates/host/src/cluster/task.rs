//! Tasks of the host, which are told to stop, and whose unexpected end is noticed.

use std::future::{Future, pending};

use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

/// A task that is told to stop. It ends at once when this is dropped.
pub(crate) struct Task<T> {
    stop: watch::Sender<bool>,
    running: JoinSet<T>,
    failed: Option<oneshot::Receiver<()>>,
}

/// Reports that a task ends though nobody has told it to: it may have panicked.
struct Reporter(watch::Receiver<bool>, Option<oneshot::Sender<()>>);

impl Drop for Reporter {
    fn drop(&mut self) {
        if let Some(report) = self.1.take_if(|_| !*self.0.borrow()) {
            // Nobody may wait for it.
            let _ = report.send(());
        }
    }
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn spawn<R: Future<Output = T> + Send + 'static>(
        run: impl FnOnce(watch::Receiver<bool>) -> R,
    ) -> Task<T> {
        let ((stop, stopped), (report, failed)) = (watch::channel(false), oneshot::channel());
        let (reporter, run) = (Reporter(stopped.clone(), Some(report)), run(stopped));
        let mut running = JoinSet::new();
        running.spawn(async move {
            let _reporter = reporter;
            run.await
        });
        Task { stop, running, failed: Some(failed) }
    }

    /// Resolves when it ends though it was not told to. To be asked for once.
    pub(crate) fn failed(&mut self) -> impl Future<Output = ()> + use<T> {
        let failed = self.failed.take();
        async move {
            let has_failed = match failed {
                Some(failed) => failed.await.is_ok(),
                None => false,
            };
            if !has_failed {
                pending().await
            }
        }
    }

    /// Waits for its end. `None`: it has ended before, or panicked, which is logged.
    pub(crate) async fn ended(&mut self) -> Option<T> {
        let ended = self.running.join_next().await?;
        ended.inspect_err(|error| tracing::error!(%error, "a task of the host ended unexpectedly")).ok()
    }

    /// Stops it, and waits for it.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        self.ended().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn task_that_panics_is_noticed_and_one_that_was_stopped_is_not() {
        let mut task = Task::spawn(|_| async { panic!("on purpose") });
        task.failed().await;
        assert!(task.ended().await.is_none());
        let mut task = Task::spawn(async |mut stopped: watch::Receiver<bool>| {
            drop(stopped.wait_for(|it| *it).await);
        });
        let failed = task.failed();
        task.stop().await;
        tokio::select! {
            biased;
            () = failed => panic!("it was told to stop"),
            () = std::future::ready(()) => {}
        }
    }
}
