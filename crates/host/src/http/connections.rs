//! Open connections, and which of them are closed: those of slow clients (time-outs), and, as load shedding,
//! those that are too many or hold too much memory.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use atoll_kernel::{http::LimitsHit, limits::HANDSHAKES_MAX};

use super::Limits;
use super::connection::Connection;

/// Shortest interval between two log lines about the same event.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Rate limit of a log line.
#[derive(Default)]
pub(super) struct RateLimited {
    last: Mutex<(Option<Instant>, u64)>,
}

impl RateLimited {
    /// Counts an event. Returns the number of events since the last line, if a line is due.
    pub(super) fn due(&self) -> Option<u64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.1 += 1;
        if last.0.is_some_and(|it| it.elapsed() < LOG_PAUSE) {
            return None;
        }
        last.0 = Some(Instant::now());
        Some(std::mem::take(&mut last.1))
    }
}

/// All open connections.
pub(super) struct Connections {
    pub(super) limits: Limits,
    pub(super) hits: Arc<LimitsHit>,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next: AtomicU64,
    /// Bytes of bodies and answers in memory, over all connections.
    n_held: AtomicUsize,
    relieved: RateLimited,
}

/// An entry in the list of open connections, removed on drop.
pub(super) struct Listed {
    id: u64,
    pub(super) connection: Arc<Connection>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.connection.all.open().remove(&self.id);
    }
}

impl Connections {
    pub(super) fn new(limits: Limits, hits: Arc<LimitsHit>) -> Arc<Connections> {
        Arc::new(Connections {
            limits,
            hits,
            open: Mutex::default(),
            next: AtomicU64::new(0),
            n_held: AtomicUsize::new(0),
            relieved: RateLimited::default(),
        })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list(&self, connection: Connection) -> Listed {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(connection);
        self.open().insert(id, connection.clone());
        Listed { id, connection }
    }

    /// Closes connections whose time-out has passed.
    pub(super) fn close_overdue(&self) {
        let now = Instant::now();
        for it in self.open().values() {
            if let Some((limit, why)) = it.overdue(&self.limits, now)
                && it.cut()
            {
                limit.into_iter().for_each(|it| self.hits.hit(it));
                tracing::debug!(peer = %it.peer, why, "a connection was closed");
            }
        }
    }

    /// Closes the connection that was idle for longest, to make room. Running requests are not affected.
    pub(super) fn close_longest_idle(&self) {
        let open = self.open();
        let idle = open.values().filter(|it| !it.is_cut()).filter_map(|it| Some((it.idle_since()?, it)));
        if let Some((_, it)) = idle.min_by_key(|(since, _)| *since) {
            it.cut();
        }
    }

    /// Closes the connection that has been in its TLS handshake for longest, if more of them are than may be.
    pub(super) fn limit_handshakes(&self) {
        let open = self.open();
        let shaking =
            || open.values().filter(|it| !it.is_cut()).filter_map(|it| Some((it.shakes_hands_since()?, it)));
        if shaking().count() > HANDSHAKES_MAX
            && let Some((_, it)) = shaking().min_by_key(|(since, _)| *since)
        {
            self.hits.hit("handshakes_max");
            it.cut();
        }
    }

    /// Closes all. Returns the number of those with an unanswered request.
    pub(super) fn close_all(&self) -> usize {
        let open = self.open();
        let n_working = open.values().filter(|it| it.is_working()).count();
        for it in open.values() {
            it.cut();
        }
        n_working
    }

    /// Counts bytes that this connection holds. If all of them exceed the limit, connections that wait for
    /// their clients are closed, the slowest first.
    pub(super) fn hold(&self, connection: &Arc<Connection>, n_bytes: usize) {
        let n_held = self.n_held.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
        let Some(mut n_excess) = n_held.checked_sub(self.limits.buffer_bytes_max).filter(|it| *it > 0) else {
            return;
        };
        let open = self.open();
        let others = open.values().filter(|it| !Arc::ptr_eq(it, connection));
        let mut waiting: Vec<_> = others.filter_map(|it| Some((it.waits_since()?, it))).collect();
        waiting.sort_by_key(|(since, _)| *since);
        let mut n_closed = 0;
        for (_, it) in waiting {
            if n_excess == 0 {
                break;
            }
            n_excess = n_excess.saturating_sub(it.n_held());
            n_closed += usize::from(it.cut());
        }
        if n_closed > 0 {
            self.hits.hit("buffer_bytes_max");
        }
        if n_closed > 0
            && let Some(n_times) = self.relieved.due()
        {
            tracing::warn!(
                n_held,
                n_closed,
                n_times,
                "clients send or read too slowly: bodies and answers fill `buffer_bytes_max`, and the slowest were closed"
            );
        }
    }

    pub(super) fn release(&self, n_bytes: usize) {
        self.n_held.fetch_sub(n_bytes, Ordering::Relaxed);
    }
}
