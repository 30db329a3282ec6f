//! Panics of a future, as faults.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

use atoll_values::panic_message;

use crate::Fault;

/// What the future resolves to; if it panics, an error that is unexpected.
pub async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Fault> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(Fault::unexpected(format!("panicked: {}", panic_message(&*panic))))),
    })
    .await
}
