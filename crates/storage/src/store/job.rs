//! A transaction that waits for the writer: its body, what came of it, and who waits for the answer.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use atoll_values::Timestamp;
use tokio::sync::oneshot;

use crate::{StoreError, View, Write};

/// A transaction.
pub(super) trait Job: Send {
    /// The time of the transaction.
    fn at(&self) -> Timestamp;

    /// Runs the body, over what is committed or also over what is yet to be. Returns whether its changes are
    /// to be committed.
    fn run(&mut self, tx: &mut dyn Write, is_over_committed: bool) -> bool;

    /// Has it fail with this error, after it ran.
    fn refuse(&mut self, error: StoreError);

    /// Answers the caller with the view of the commit, or its error.
    fn settle(self: Box<Self>, view: Result<View, StoreError>);
}

/// A body with its caller, who waits.
pub(super) struct QueuedCommit<F, T, E> {
    at: Timestamp,
    /// Taken when it runs.
    body: Option<F>,
    outcome: Option<Result<T, E>>,
    /// Did it see nothing but what is committed?
    is_over_committed: bool,
    reply: oneshot::Sender<Result<(T, View), E>>,
}

impl<F, T, E> QueuedCommit<F, T, E> {
    pub(super) fn new(at: Timestamp, body: F, reply: oneshot::Sender<Result<(T, View), E>>) -> Self {
        QueuedCommit { at, body: Some(body), outcome: None, is_over_committed: false, reply }
    }
}

impl<F, T, E> Job for QueuedCommit<F, T, E>
where
    F: FnOnce(&mut dyn Write) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn at(&self) -> Timestamp {
        self.at
    }

    fn run(&mut self, tx: &mut dyn Write, is_over_committed: bool) -> bool {
        let Some(body) = self.body.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| body(tx)))
            .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_message(&*panic)).into()));
        let keep = outcome.is_ok();
        (self.outcome, self.is_over_committed) = (Some(outcome), is_over_committed);
        keep
    }

    fn refuse(&mut self, error: StoreError) {
        self.outcome = Some(Err(error.into()));
    }

    fn settle(self: Box<Self>, view: Result<View, StoreError>) {
        let answer = match (self.outcome, view) {
            (Some(Ok(value)), Ok(view)) => Ok((value, view)),
            (Some(Err(error)), Ok(_)) => Err(error),
            // It wrote nothing, and what became of the others changes nothing about it.
            (Some(Err(error)), Err(_)) if self.is_over_committed => Err(error),
            (Some(Err(_)), Err(StoreError::Unknown(why))) => Err(StoreError::NotWritten(why).into()),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(_)) => Err(StoreError::Stopped("the transaction did not run".into()).into()),
        };
        // The caller may have been cancelled.
        let _ = self.reply.send(answer);
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
