//! What a supervisor such as systemd is told (`sd_notify`): that the server is ready or stopping, a line of
//! status, and that it lives (watchdog). Without one, `NOTIFY_SOCKET` is not set, and nothing is told.

use std::time::Duration;

use atoll_kernel::{StoreError, data::Store};
use sd_notify::NotifyState;

/// Beats within the time after which the supervisor takes the process for dead: one that is late is no
/// reason to end it.
const BEATS_PER_TIMEOUT: u32 = 3;

/// Says what the process is doing before it serves.
pub(crate) fn starting(what: &str) {
    tell(&[NotifyState::Status(what)]);
}

/// Says that requests are answered at this address.
pub(crate) fn ready(at: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("serving {at}"))]);
}

/// Says that the process finishes what runs, and ends.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("shutting down; finishing running requests")]);
}

/// Says that the process lives, until the store is closed: each time when the writer has answered. A writer
/// that hangs in a transaction or waits for its disk does not, nor does a runtime without a free thread; then
/// the supervisor ends the process, and starts it again.
pub(crate) async fn beat(store: Store) {
    let Some(timeout) = sd_notify::watchdog_enabled().filter(|it| *it > Duration::ZERO) else { return };
    while is_alive(&store).await {
        tell(&[NotifyState::Watchdog]);
        tokio::time::sleep(timeout / BEATS_PER_TIMEOUT).await;
    }
}

/// Waits for the writer to run a transaction that changes nothing, which commits nothing. Returns whether it
/// takes any more work; that of a host which follows another one runs none.
async fn is_alive(store: &Store) -> bool {
    let answered = store.write(|_| Ok::<_, StoreError>(())).await;
    !matches!(answered, Err(StoreError::Stopped(_)))
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the supervisor could not be told");
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::mpsc::channel, task::Poll};

    use atoll_storage::engines::Memory;

    use super::*;

    #[tokio::test]
    async fn a_writer_that_hangs_is_not_alive() {
        let store = Store::open(Memory::default(), &[]).expect("a store");
        assert!(is_alive(&store).await);
        let before = store.view().position();
        let ((hangs, is_hanging), (release, released)) = (channel(), channel());
        let hanging = tokio::spawn({
            let store = store.clone();
            async move {
                let body = move |_: &mut dyn atoll_kernel::Write| {
                    hangs.send(()).expect("somebody waits");
                    released.recv().expect("it is released");
                    Ok::<_, StoreError>(())
                };
                store.write(body).await
            }
        });
        tokio::task::spawn_blocking(move || is_hanging.recv()).await.expect("it ends").expect("it hangs");
        let mut alive = pin!(is_alive(&store));
        assert!(std::future::poll_fn(|cx| Poll::Ready(alive.as_mut().poll(cx))).await.is_pending());
        release.send(()).expect("it waits");
        assert!(alive.await);
        hanging.await.expect("it ends").expect("a write");
        assert_eq!(store.view().position(), before, "a beat commits nothing");
        store.close();
        assert!(!is_alive(&store).await);
    }
}
