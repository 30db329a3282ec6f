//! The spans that wait for the exporter: so many at most. More are dropped and counted, so that nobody waits.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use atoll_kernel::http::{Span, SpanCounts, Spans};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Spans that wait, at most: of some thousand requests, a few megabytes.
pub(crate) const SPANS_WAITING_MAX: usize = 16_384;

/// The end of the queue into which spans are put.
pub(crate) struct Queue {
    to: Sender<Span>,
    n_sent: AtomicU64,
    n_dropped: AtomicU64,
}

impl Queue {
    /// A queue, and its other end.
    pub(crate) fn new() -> (Arc<Queue>, Receiver<Span>) {
        let (to, from) = channel(SPANS_WAITING_MAX);
        (Arc::new(Queue { to, n_sent: AtomicU64::new(0), n_dropped: AtomicU64::new(0) }), from)
    }

    /// Counts spans that have arrived.
    pub(crate) fn sent(&self, n_spans: usize) {
        self.n_sent.fetch_add(n_spans as u64, Ordering::Relaxed);
    }

    /// Counts spans that never arrived.
    pub(crate) fn lose(&self, n_spans: usize) {
        self.n_dropped.fetch_add(n_spans as u64, Ordering::Relaxed);
    }
}

impl Spans for Queue {
    fn take(&self, span: Span) {
        if self.to.try_send(span).is_err() {
            self.lose(1);
        }
    }

    fn counts(&self) -> SpanCounts {
        let [n_sent, n_dropped] = [&self.n_sent, &self.n_dropped].map(|it| it.load(Ordering::Relaxed));
        SpanCounts { n_sent, n_dropped }
    }
}
