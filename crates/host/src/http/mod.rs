//! The HTTP/1.1 server: accepts connections, bounds their number, time and memory, and drains them (graceful
//! shutdown). Requests are answered by the router.

mod connection;
mod connections;

use std::{convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use atoll_kernel::{http::LimitsHit, limits};
use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower::Service as _;

use connection::{AnswerBody, Connection, RequestBody, Socket};
use connections::{Connections, RateLimited};

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
    /// From the first to the last byte of the head of a request.
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

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Requests that were aborted at the end of the drain time-out.
    pub n_cut: usize,
}

/// Serves until `stop`. Then connections that are idle, or have sent a part of a request only, are closed at
/// once, and complete requests are answered, until the drain time-out. `hits` counts what the limits do.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    hits: Arc<LimitsHit>,
    stop: impl Future<Output = ()>,
) -> Drained {
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
            let listed = connections.list(Connection::new(peer, connections.clone()));
            let (router, drain) = (router.clone(), drain.clone());
            tokio::spawn(async move {
                let _permit = permit;
                let connection = listed.connection.clone();
                answer(stream, connection, router, drain).await;
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

/// Answers the requests of one connection, until it ends, is cut, or is idle while the server drains.
async fn answer(
    stream: TcpStream,
    connection: Arc<Connection>,
    router: Router,
    mut drain: watch::Receiver<bool>,
) {
    // Answers are written as a whole, so Nagle's algorithm would only delay them.
    let _ = stream.set_nodelay(true);
    let state = connection.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, state) = (router.clone(), state.clone());
        async move {
            state.begin(!http_body::Body::is_end_stream(request.body()));
            let mut request = request.map(|body| Body::new(RequestBody::new(body, state.clone())));
            request.extensions_mut().insert(ConnectInfo(state.peer));
            let answer = match router.call(request).await {
                Ok(answer) => answer,
                Err(never) => match never {},
            };
            state.answer();
            Ok::<_, Infallible>(answer.map(|body| AnswerBody::new(body, state)))
        }
    });
    let socket = TokioIo::new(Socket { stream, connection: connection.clone() });
    let served = http1::Builder::new()
        // The sweeper applies the time-outs.
        .header_read_timeout(None)
        .max_buf_size(limits::HEAD_BYTES_MAX)
        .max_header_size(limits::HEAD_BYTES_MAX)
        .serve_connection(socket, service);
    let mut served = pin!(served);
    tokio::select! {
        // Errors are ignored: the client has disconnected, or does not speak HTTP.
        _ = served.as_mut() => return,
        () = connection.until_cut() => return,
        () = async { drop(drain.wait_for(|it| *it).await) } => {}
    }
    if connection.is_answering() {
        served.as_mut().graceful_shutdown();
        tokio::select! {
            _ = served => {}
            () = connection.until_cut() => {}
        }
    }
}
