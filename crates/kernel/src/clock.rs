//! The clock: that of the system, or a manual one, which tests move and which wakes the tasks that sleep on
//! it.

use std::time::Duration;

use tokio::sync::watch;

use crate::Timestamp;

/// Source of the current time.
#[derive(Clone)]
pub enum Clock {
    /// The clock of the system.
    System,
    /// The clock of a test.
    Manual(ManualClock),
}

impl Clock {
    /// The current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Manual(clock) => clock.now(),
        }
    }

    /// See [`Ctx::sleep_until`](crate::Ctx::sleep_until).
    pub(crate) async fn sleep_until(&self, since: Timestamp, until: Timestamp) {
        match self {
            Clock::System => {
                tokio::time::sleep(left(Timestamp::now(), since, until)).await;
            }
            Clock::Manual(clock) => {
                let is_awake = |now: &Timestamp| *now >= until || *now < since;
                // The sender is in `clock`, so the channel is open.
                drop(clock.0.subscribe().wait_for(is_awake).await);
            }
        }
    }
}

/// How long a sleep from `since` until `until` still takes; no longer than the whole of it, even if the clock
/// of the system was set back before `since`.
fn left(now: Timestamp, since: Timestamp, until: Timestamp) -> Duration {
    let left_ms = until.millis().saturating_sub(now.max(since).millis());
    Duration::from_millis(u64::try_from(left_ms).unwrap_or(0))
}

/// A clock that stands still until a test moves it. Clones share one state.
#[derive(Clone, Debug)]
pub struct ManualClock(watch::Sender<Timestamp>);

impl ManualClock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> ManualClock {
        ManualClock(watch::Sender::new(now))
    }

    /// The time that it shows.
    pub fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    /// Moves the clock, backwards if `millis` is negative, and wakes the sleepers whose time has come.
    pub fn advance_ms(&self, millis: i64) {
        self.0.send_modify(|now| *now = now.plus_millis(millis));
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use super::*;

    const SINCE: Timestamp = Timestamp::from_millis(1_000);

    /// Is a sleep from 1,000 to 2,000 over after these moves?
    async fn is_over(moves: &[i64]) -> bool {
        let clock = ManualClock::at(SINCE);
        let (sleeper, until) = (Clock::Manual(clock.clone()), Timestamp::from_millis(2_000));
        let mut sleep = pin!(sleeper.sleep_until(SINCE, until));
        for millis in moves {
            assert!(futures_now(sleep.as_mut()).await.is_pending(), "{moves:?}");
            clock.advance_ms(*millis);
        }
        futures_now(sleep.as_mut()).await.is_ready()
    }

    async fn futures_now<F: Future>(mut future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
    }

    #[test]
    fn clock_that_is_set_back_does_not_lengthen_a_sleep() {
        let left_at =
            |now| left(Timestamp::from_millis(now), SINCE, Timestamp::from_millis(2_000)).as_millis();
        assert_eq!([500, 1_000, 1_400, 2_000, 2_001].map(left_at), [1_000, 1_000, 600, 0, 0]);
    }

    #[tokio::test]
    async fn manual_clock_wakes_sleepers_when_their_time_has_come_or_it_is_set_back() {
        assert!(!is_over(&[]).await);
        assert!(!is_over(&[999]).await);
        assert!(is_over(&[1_000]).await);
        assert!(is_over(&[400, 600]).await);
        assert!(is_over(&[5_000]).await);
        assert!(!is_over(&[900, -500]).await, "the time of the sleep is ahead as before");
        assert!(is_over(&[-1]).await, "who sleeps looks at the clock again");
    }
}
