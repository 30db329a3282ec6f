//! Tasks that end with whoever waits for them.

use std::future::pending;

use tokio::task::{JoinError, JoinSet};

/// Begins this in a task of its own, so that a panic ends it alone, and other work goes on beside it. In
/// contrast to a task that is spawned, it ends when what this returns is dropped. Errors: it has panicked.
pub fn subtask<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, JoinError>> + Send {
    let mut task = JoinSet::new();
    task.spawn(work);
    async move {
        match task.join_next().await {
            Some(ended) => ended,
            // There is one.
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn subtask_ends_with_whoever_waits_for_it() {
        assert_eq!(subtask(async { 1 }).await.expect("it ends"), 1);
        assert!(subtask(async { panic!("on purpose") }).await.expect_err("it panics").is_panic());
        let (held, dropped) = oneshot::channel::<()>();
        let (begun, begins) = oneshot::channel();
        let task = subtask(async move {
            let _held = held;
            begun.send(()).expect("somebody waits");
            pending::<()>().await;
        });
        begins.await.expect("it begins before it is waited for");
        drop(task);
        let ended = timeout(Duration::from_secs(30), dropped).await;
        ended.expect("it ends in time").expect_err("nothing is sent");
    }
}
