//! Background tasks: subscribers and jobs. Those of these tests are linked into this binary only.

mod backups;
mod events;
mod exports;
mod jobs;
mod low_disk;
mod notifications;
mod tokens;

use std::time::Duration;

use atoll_background::position_of;
use atoll_kernel::jobs::events_after;
use atoll_testkit::{PACE, TestApp};

/// How long a test waits for a commit before it says what it waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for commits until `look` succeeds; at the time-out its error is reported.
async fn committed(app: &TestApp, look: impl AsyncFn() -> Result<(), String>) {
    let mut commits = app.ctx.store().commits();
    loop {
        commits.mark_unchanged();
        let Err(what) = look().await else { return };
        let next = tokio::time::timeout(PATIENCE, commits.changed()).await;
        next.unwrap_or_else(|_| panic!("{what}")).expect("the store is open");
    }
}

/// Waits until these subscribers have processed all events, by delivery or as dead letters. Moves the clock,
/// so that failed deliveries are retried.
async fn settled(app: &TestApp, subscribers: &[&str]) {
    let are_done = async || {
        let view = app.ctx.view();
        let last = events_after(&view, 0, usize::MAX).expect("events").last().map_or(0, |(place, _)| *place);
        let position = |name: &&str| position_of(&view, name).expect("a cursor").unwrap_or(0);
        if subscribers.iter().all(|it| position(it) >= last) {
            return Ok(());
        }
        app.advance_ms(PACE.longest.as_millis() as i64);
        Err(format!("{:?}, and not {last}", subscribers.iter().map(position).collect::<Vec<_>>()))
    };
    committed(app, are_done).await;
}
