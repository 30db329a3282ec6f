//! The HTTP server: accepts connections, bounds their number, time and memory, and drains them (graceful
//! shutdown). Requests are answered by the router.

#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "parts of it are about TLS and HTTP/2"))]
mod connection;
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "a part of it is about TLS"))]
mod connections;
mod http1;
#[cfg(feature = "tls")]
mod http2;
mod socket;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use atoll_kernel::{
    http::{LimitsHit, OverTls},
    limits,
};
use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, Response, body::Incoming};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::Service as _;

use connection::{AnswerBody, Connection, RequestBody};
use connections::{Connections, RateLimited};

pub use tls::Tls;

/// Pause of accepting when file descriptors have run out, or all connections are busy.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Longest interval between two checks for overdue connections; a quarter of the shortest time-out, if that
/// is less.
const SWEEP_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Limits of connections: number, time-outs, memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most open connections.
    pub connections_max: usize,
    /// From the first to the last byte of the head of a request; for a TLS handshake.
    pub header_timeout: Duration,
    /// In which 64 kB of a body, or its rest, must arrive.
    pub body_timeout: Duration,
    /// Between two requests (keep-alive), and before the first.
    pub idle_timeout: Duration,
    /// In which 64 kB of an answer, or its rest, must be read.
    pub write_timeout: Duration,
    /// How long a shutdown waits for running requests.
    pub drain_timeout: Duration,
    /// Most bytes of incoming bodies and unread answers, over all connections.
    pub buffer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections_max: limits::CONNECTIONS_MAX,
            header_timeout: limits::HEADER_TIMEOUT,
            body_timeout: limits::BODY_TIMEOUT,
            idle_timeout: limits::IDLE_TIMEOUT,
            write_timeout: limits::WRITE_TIMEOUT,
            drain_timeout: limits::DRAIN_TIMEOUT,
            buffer_bytes_max: limits::BUFFER_BYTES_MAX,
        }
    }
}

impl Limits {
    fn sweep_pause(&self) -> Duration {
        let timeouts = [self.header_timeout, self.body_timeout, self.idle_timeout, self.write_timeout];
        let shortest = timeouts.into_iter().min().unwrap_or(SWEEP_PAUSE_MAX);
        (shortest / 4).clamp(Duration::from_millis(1), SWEEP_PAUSE_MAX)
    }
}

/// Where connections come from, and whether they are over TLS.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
}

impl Listener {
    /// Connections to this listener, over TLS if there is a certificate.
    pub fn new(tcp: TcpListener, tls: Option<Tls>) -> Listener {
        Listener { tcp, tls }
    }
}

impl From<TcpListener> for Listener {
    fn from(tcp: TcpListener) -> Listener {
        Listener::new(tcp, None)
    }
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were aborted at the end of the drain time-out.
    pub n_cut: usize,
}

/// Serves a connection until it ends, is cut, or the server drains: then it ends by `end` when it has
/// answered, or at once if it is not answering.
async fn until_drained<S: Future>(
    served: S,
    end: impl FnOnce(Pin<&mut S>),
    connection: &Connection,
    mut drain: watch::Receiver<bool>,
) {
    let mut served = pin!(served);
    tokio::select! {
        // Errors are ignored: the client has disconnected, or does not speak the protocol.
        _ = served.as_mut() => return,
        () = connection.until_cut() => return,
        () = async { drop(drain.wait_for(|it| *it).await) } => {}
    }
    if connection.is_answering() {
        end(served.as_mut());
        tokio::select! {
            _ = served => {}
            () = connection.until_cut() => {}
        }
    }
}

/// Serves until `stop`. Then connections that are idle, or have sent a part of a request only, are closed at
/// once, and complete requests are answered, until the drain time-out. `hits` counts what the limits do.
pub async fn serve(
    listener: impl Into<Listener>,
    router: Router,
    limits: Limits,
    hits: Arc<LimitsHit>,
    stop: impl Future<Output = ()>,
) -> Drained {
    let Listener { tcp: listener, tls } = listener.into();
    let connections = Connections::new(limits, hits);
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let (draining, drain) = watch::channel(false);
    let watched = connections.clone();
    let sweeper = tokio::spawn(async move {
        loop {
            tokio::time::sleep(limits.sweep_pause()).await;
            watched.close_overdue();
        }
    });
    let accepting = async {
        let full = RateLimited::default();
        let exhausted = RateLimited::default();
        loop {
            let (stream, peer) = accept(&listener, &connections, &exhausted).await;
            let permit = permit(&permits, &connections, &full).await;
            let listed = connections.list(Connection::new(peer, tls.is_some(), connections.clone()));
            let (router, tls, drain) = (router.clone(), tls.clone(), drain.clone());
            tokio::spawn(async move {
                let _permit = permit;
                let connection = listed.connection.clone();
                // Answers are written as a whole, so Nagle's algorithm would only delay them.
                let _ = stream.set_nodelay(true);
                match tls {
                    Some(tls) => tls.answer(stream, connection, router, drain).await,
                    None => http1::answer(stream, connection, router, drain).await,
                }
            });
        }
    };
    tokio::select! {
        () = stop => {}
        () = accepting => {}
    }
    // New connections are refused from here on, so that clients try another host.
    drop(listener);
    let _ = draining.send(true);
    let all = permits.acquire_many(u32::try_from(limits.connections_max).unwrap_or(u32::MAX));
    let n_cut = match tokio::time::timeout(limits.drain_timeout, all).await {
        Ok(_) => 0,
        Err(_) => connections.close_all(),
    };
    sweeper.abort();
    Drained { n_cut }
}

/// Accepts the next connection. When file descriptors run out, it logs that, closes an idle connection, and
/// retries.
async fn accept(
    listener: &TcpListener,
    connections: &Connections,
    exhausted: &RateLimited,
) -> (TcpStream, SocketAddr) {
    loop {
        let error = match listener.accept().await {
            Ok(it) => return it,
            Err(error) => error,
        };
        // The client has disconnected already.
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            continue;
        }
        connections.hits.hit("file_descriptors");
        if let Some(n_times) = exhausted.due() {
            tracing::error!(
                %error, n_times,
                "connections cannot be accepted; where descriptors have run out, raise `ulimit -n` or lower \
                 `connections_max`"
            );
        }
        connections.close_longest_idle();
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}

/// A permit for one more connection. If there is none, the connection that was idle for longest is closed.
async fn permit(
    permits: &Arc<Semaphore>,
    connections: &Connections,
    full: &RateLimited,
) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = permits.clone().try_acquire_owned() {
        return Some(permit);
    }
    connections.hits.hit("connections_max");
    if let Some(n_times) = full.due() {
        let connections_max = connections.limits.connections_max;
        tracing::warn!(
            connections_max,
            n_times,
            "`connections_max` is reached; for each new connection the one that was idle for longest is closed"
        );
    }
    // Retry: if all of them are busy now, one may be idle in a moment.
    loop {
        connections.close_longest_idle();
        if let Ok(permit) = tokio::time::timeout(ACCEPT_PAUSE, permits.clone().acquire_owned()).await {
            return permit.ok();
        }
    }
}

/// Answers one request of this connection, or of an HTTP/2 connection.
async fn respond(
    mut router: Router,
    state: Arc<Connection>,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    state.begin(!http_body::Body::is_end_stream(request.body()));
    let mut request = request.map(|body| Body::new(RequestBody::new(body, state.clone())));
    request.extensions_mut().insert(ConnectInfo(state.peer));
    if state.is_over_tls {
        request.extensions_mut().insert(OverTls);
    }
    let answer = match router.call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    state.answer();
    answer.map(|body| AnswerBody::new(body, state))
}
