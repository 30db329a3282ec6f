//! State of one HTTP connection, or of one request of an HTTP/2 connection: its phase, since when, and how
//! many bytes it holds. The socket and the bodies update it; the sweeper reads it to apply time-outs and
//! memory limits, and the shutdown to drain.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Notify;

use super::Limits;
use super::connections::Connections;

/// Bytes that must be sent or read within a time-out of a body or an answer: 2 kB per second at the defaults,
/// which a telephone achieves, and a slow attacker (slowloris) does not.
pub(super) const PROGRESS_BYTES_MIN: usize = 64 * 1024;

/// Smaller answers are not counted: their memory is bounded by the number of connections.
const COUNTED_BYTES_MIN: usize = 64 * 1024;

/// Phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Agreeing on the keys of TLS.
    Handshake,
    /// HTTP/2, with requests that have states of their own.
    Shared,
    /// Open, without a request.
    Idle,
    /// Receiving the head of a request.
    Head,
    /// Receiving the body.
    Body,
    /// The request is complete, and is being answered.
    Answering,
    /// The answer is being written. `is_whole`: hyper has taken the whole body.
    Writing { is_whole: bool },
}

struct State {
    phase: Phase,
    /// Start of the phase, or of the current interval of progress.
    since: Instant,
    /// Since when nobody wants more of the body: what takes it is slow, and not the client.
    unwanted_since: Option<Instant>,
    /// Bytes in that interval.
    n_bytes: usize,
    /// Start of the request.
    begun: Instant,
    /// Requests of an HTTP/2 connection.
    n_requests: usize,
}

/// An open connection.
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    pub(super) is_over_tls: bool,
    pub(super) all: Arc<Connections>,
    /// The HTTP/2 connection, if this is one of its requests.
    of: Option<Arc<Connection>>,
    state: Mutex<State>,
    /// Bytes of the received body and of the unwritten answer.
    n_held: AtomicUsize,
    /// Is a part of the body of its request left to be read, for nobody?
    has_unread: AtomicBool,
    is_cut: AtomicBool,
    cut: Notify,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, is_over_tls: bool, all: Arc<Connections>) -> Connection {
        let now = Instant::now();
        Connection {
            peer,
            is_over_tls,
            all,
            of: None,
            state: Mutex::new(State {
                phase: Phase::Idle,
                since: now,
                unwanted_since: None,
                n_bytes: 0,
                begun: now,
                n_requests: 0,
            }),
            n_held: AtomicUsize::new(0),
            has_unread: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            cut: Notify::new(),
        }
    }

    /// A request of an HTTP/2 connection, until [`Connection::end_request`] of that.
    pub(super) fn request_of(of: &Arc<Connection>) -> Connection {
        let mut state = of.state();
        state.n_requests += 1;
        (state.phase, state.since) = (Phase::Shared, Instant::now());
        drop(state);
        Connection { of: Some(of.clone()), ..Connection::new(of.peer, of.is_over_tls, of.all.clone()) }
    }

    /// One request of this HTTP/2 connection is answered, or was given up. After the last one it is idle.
    pub(super) fn end_request(&self) {
        let mut state = self.state();
        state.n_requests -= 1;
        if state.n_requests == 0 {
            (state.phase, state.since) = (Phase::Idle, Instant::now());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        (state.since, state.unwanted_since, state.n_bytes) = (Instant::now(), None, 0);
    }

    /// A TLS handshake begins.
    pub(super) fn shake_hands(&self) {
        self.enter(Phase::Handshake);
    }

    /// The TLS handshake is complete.
    pub(super) fn has_shaken_hands(&self) {
        self.enter(Phase::Idle);
    }

    /// Since when it has been in its TLS handshake, if it is.
    pub(super) fn shakes_hands_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.phase == Phase::Handshake).then_some(state.since)
    }

    /// The head of a request is complete.
    pub(super) fn begin(&self, has_body: bool) {
        self.has_unread.store(false, Ordering::Relaxed);
        self.enter(if has_body { Phase::Body } else { Phase::Answering });
        let mut state = self.state();
        state.begun = state.since;
        state.unwanted_since = has_body.then_some(state.since);
    }

    /// The answer is available, and is written from now on.
    pub(super) fn answer(&self) {
        self.enter(Phase::Writing { is_whole: false });
    }

    /// Is a complete request being answered, or its answer written?
    pub(super) fn is_answering(&self) -> bool {
        matches!(self.state().phase, Phase::Answering | Phase::Writing { .. } | Phase::Shared)
    }

    /// Is a complete request being answered, without an answer yet?
    pub(super) fn is_working(&self) -> bool {
        self.state().phase == Phase::Answering
    }

    /// Since when it has been idle, if it is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        matches!(state.phase, Phase::Handshake | Phase::Idle | Phase::Head).then_some(state.since)
    }

    /// Start of its request, if it waits for its client and holds memory meanwhile.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        let state = self.state();
        let waits = matches!(state.phase, Phase::Body | Phase::Writing { .. });
        (waits && self.n_held() > 0).then_some(state.begun)
    }

    pub(super) fn n_held(&self) -> usize {
        self.n_held.load(Ordering::Relaxed)
    }

    /// The reason to close it, if a time-out has passed, with the name of that one; none if it is idle, which
    /// is nobody's fault.
    pub(super) fn overdue(
        &self,
        limits: &Limits,
        now: Instant,
    ) -> Option<(Option<&'static str>, &'static str)> {
        let (waited, phase) = {
            let state = self.state();
            (state.waited(now), state.phase)
        };
        let (timeout, limit, what): (Duration, _, _) = match phase {
            Phase::Idle => (limits.idle_timeout, None, "no request arrived"),
            Phase::Head => (
                limits.header_timeout,
                Some("header_timeout"),
                "the head of a request did not arrive in time",
            ),
            Phase::Body => {
                (limits.body_timeout, Some("body_timeout"), "the body of a request arrived too slowly")
            }
            Phase::Writing { .. } => {
                (limits.write_timeout, Some("write_timeout"), "an answer was read too slowly")
            }
            Phase::Handshake => {
                (limits.header_timeout, Some("header_timeout"), "the TLS handshake took too long")
            }
            Phase::Answering | Phase::Shared => return None,
        };
        (waited >= timeout).then_some((limit, what))
    }

    /// Closes it in any phase, or the HTTP/2 connection that this is a request of: what hyper has taken of an
    /// answer cannot be taken back otherwise. Returns whether this is the first call.
    pub(super) fn cut(&self) -> bool {
        if let Some(of) = &self.of {
            of.cut();
        }
        let is_first = !self.is_cut.swap(true, Ordering::Relaxed);
        self.cut.notify_one();
        is_first
    }

    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Relaxed)
    }

    /// Waits until it is to be closed.
    pub(super) async fn until_cut(&self) {
        self.cut.notified().await;
    }

    /// The body of the request is complete, or nobody wants the rest. That may be after the answer.
    fn end_body(&self) {
        let is_awaited = self.state().phase == Phase::Body;
        if is_awaited {
            self.enter(Phase::Answering);
        }
    }

    /// Does its client send a body of which nobody wants the rest?
    pub(super) fn has_unread(&self) -> bool {
        self.has_unread.load(Ordering::Relaxed)
    }

    pub(super) fn has_read(&self, n_bytes: usize) {
        let mut state = self.state();
        if state.phase == Phase::Idle && n_bytes > 0 {
            (state.phase, state.since) = (Phase::Head, Instant::now());
        }
    }

    /// So many bytes of the body of a request have arrived.
    fn has_received(&self, n_bytes: usize) {
        let mut state = self.state();
        if state.phase == Phase::Body {
            state.progress(n_bytes);
        }
    }

    pub(super) fn has_written(&self, n_bytes: usize) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Writing { .. }) {
            state.progress(n_bytes);
        }
    }

    /// All bytes were passed to the operating system.
    pub(super) fn has_flushed(&self) {
        let mut state = self.state();
        if state.phase == (Phase::Writing { is_whole: true }) {
            (state.phase, state.since) = (Phase::Idle, Instant::now());
        }
    }
}

impl State {
    fn progress(&mut self, n_bytes: usize) {
        self.n_bytes += n_bytes;
        if self.n_bytes >= PROGRESS_BYTES_MIN {
            (self.since, self.n_bytes) = (Instant::now(), 0);
        }
    }

    /// How long its client has been waited for in this interval.
    fn waited(&self, now: Instant) -> Duration {
        self.unwanted_since.unwrap_or(now).saturating_duration_since(self.since)
    }

    /// The body is wanted, or a part of it has arrived, and it is not until that was taken. What was waited
    /// before counts on, as a client may send a byte at a time.
    fn is_wanted(&mut self, is_wanted: bool, now: Instant) {
        if self.phase != Phase::Body || is_wanted == self.unwanted_since.is_none() {
            return;
        }
        match self.unwanted_since.take() {
            Some(from) => self.since += now.saturating_duration_since(from.max(self.since)),
            None => self.unwanted_since = Some(now),
        }
    }
}

/// Counts bytes of a connection until it is dropped.
struct Hold {
    connection: Arc<Connection>,
    n_bytes: usize,
}

impl Hold {
    fn new(connection: &Arc<Connection>, n_bytes: usize) -> Hold {
        connection.n_held.fetch_add(n_bytes, Ordering::Relaxed);
        connection.all.hold(connection, n_bytes);
        Hold { connection: connection.clone(), n_bytes }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.connection.n_held.fetch_sub(self.n_bytes, Ordering::Relaxed);
        self.connection.all.release(self.n_bytes);
    }
}

/// Bytes of a body or an answer, counted while they are in memory.
struct HeldBytes {
    bytes: Bytes,
    _hold: Hold,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The body of a request.
pub(super) struct RequestBody {
    body: Incoming,
    is_over: bool,
    connection: Arc<Connection>,
}

impl RequestBody {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>) -> RequestBody {
        let is_over = body.is_end_stream();
        RequestBody { body, is_over, connection }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.connection.state().is_wanted(polled.is_pending(), Instant::now());
        let frame = ready!(polled);
        if let Some(bytes) = frame.as_ref().and_then(|it| it.as_ref().ok()?.data_ref()) {
            self.connection.has_received(bytes.len());
        }
        if !matches!(frame, Some(Ok(_))) || self.body.is_end_stream() {
            self.is_over = true;
            self.connection.end_body();
        }
        let held = |bytes: Bytes| {
            let n_bytes = bytes.len();
            Bytes::from_owner(HeldBytes { bytes, _hold: Hold::new(&self.connection, n_bytes) })
        };
        Poll::Ready(frame.map(|it| it.map(|frame| frame.map_data(held))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request whose body is not read counts as complete when the route drops the body.
impl Drop for RequestBody {
    fn drop(&mut self) {
        self.connection.has_unread.store(!self.is_over, Ordering::Relaxed);
        self.connection.end_body();
    }
}

/// The body of an answer. On drop it tells its connection that hyper has taken the whole body.
pub(super) struct AnswerBody {
    body: Body,
    connection: Arc<Connection>,
}

impl AnswerBody {
    pub(super) fn new(body: Body, connection: Arc<Connection>) -> AnswerBody {
        AnswerBody { body, connection }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        // The number of requests of an HTTP/2 connection bounds nothing.
        let uncounted = if self.connection.of.is_some() { 0 } else { COUNTED_BYTES_MIN };
        let counted = |bytes: Bytes| match bytes.len() {
            n if n < uncounted => bytes,
            n => Bytes::from_owner(HeldBytes { bytes, _hold: Hold::new(&self.connection, n) }),
        };
        Poll::Ready(frame.map(|it| it.map(|frame| frame.map_data(counted))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        let mut state = self.connection.state();
        if matches!(state.phase, Phase::Writing { .. }) {
            state.phase = Phase::Writing { is_whole: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Of a body that began at this time.
    fn state(begun: Instant) -> State {
        let unwanted_since = Some(begun);
        State { phase: Phase::Body, since: begun, unwanted_since, n_bytes: 0, begun, n_requests: 0 }
    }

    #[test]
    fn a_slow_storage_is_not_a_slow_client() {
        let begun = Instant::now();
        let mut state = state(begun);
        assert_eq!(state.waited(begun + 60 * SECOND), Duration::ZERO);
        state.is_wanted(true, begun + 60 * SECOND);
        state.is_wanted(true, begun + 61 * SECOND);
        assert_eq!(state.waited(begun + 62 * SECOND), 2 * SECOND);
        // A chunk has arrived, and the storage takes it.
        state.is_wanted(false, begun + 62 * SECOND);
        assert_eq!(state.waited(begun + 120 * SECOND), 2 * SECOND);
    }

    #[test]
    fn a_client_that_sends_a_byte_at_a_time_is_slow() {
        let begun = Instant::now();
        let mut state = state(begun);
        for n in 0..30 {
            state.is_wanted(true, begun + n * SECOND);
            state.progress(1);
            state.is_wanted(false, begun + (n + 1) * SECOND);
        }
        assert_eq!(state.waited(begun + 30 * SECOND), 30 * SECOND);
    }
}
