//! The HTTP server over real sockets: timeouts, limits on connections and memory, and draining.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use atoll_host::http::{Drained, Limits, serve};
use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

/// Longer than any test takes.
pub(crate) const NEVER: Duration = Duration::from_secs(600);
pub(crate) const SOON: Duration = Duration::from_millis(40);

pub(crate) const PATIENT: Limits = Limits {
    connections_max: 64,
    header_timeout: NEVER,
    body_timeout: NEVER,
    idle_timeout: NEVER,
    write_timeout: NEVER,
    drain_timeout: NEVER,
    buffer_bytes_max: 1 << 30,
};

/// More than the operating system buffers of an unread answer.
const LARGE: usize = 32 << 20;

/// A server, and the handles that control its answers.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Drained>,
    /// `/gate` reports that it was reached, and waits until it is opened.
    reached: mpsc::UnboundedReceiver<()>,
    gate: Arc<Notify>,
    /// Bytes of large answers that are in memory.
    dropped: mpsc::UnboundedReceiver<()>,
    n_large: Arc<AtomicUsize>,
}

/// The bytes of a large answer.
struct Large(Vec<u8>, Arc<AtomicUsize>, mpsc::UnboundedSender<()>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
        let _ = self.2.send(());
    }
}

impl Served {
    async fn start(limits: Limits) -> Served {
        let (reach, reached) = mpsc::unbounded_channel();
        let (drops, dropped) = mpsc::unbounded_channel();
        let (gate, n_large) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let (opened, counted) = (gate.clone(), n_large.clone());
        let router = Router::new()
            .route("/", get(|| async { "hello" }).post(|body: String| async move { body }))
            .route(
                "/gate",
                get(move || async move {
                    let _ = reach.send(());
                    opened.notified().await;
                    "through"
                }),
            )
            .route(
                "/large",
                get(move || async move {
                    counted.fetch_add(1, Ordering::SeqCst);
                    Body::from(Bytes::from_owner(Large(vec![b'x'; LARGE], counted, drops)))
                }),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let done =
            tokio::spawn(serve(listener, router, limits, Arc::default(), async { drop(stopped.await) }));
        Served { address, stop, done, reached, gate, dropped, n_large }
    }

    /// Opens a connection and sends this.
    async fn open(&self, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(sent.as_bytes()).await.expect("it is sent");
        stream
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).expect("it serves");
        self.done.await.expect("it ends")
    }
}

fn ask(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: atoll\r\nconnection: close\r\n\r\n")
}

/// Reads until the connection is closed.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset closes it as well.
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8(text).expect("text")
}

/// Reads until `end`; the connection stays open.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        text.push(stream.read_u8().await.expect("it goes on"));
    }
    String::from_utf8(text).expect("text")
}

#[tokio::test]
async fn client_timeouts_close_connections() {
    let half_a_body = "POST / HTTP/1.1\r\nhost: atoll\r\ncontent-length: 9\r\n\r\nhalf";
    for (limits, sent) in [
        (Limits { idle_timeout: SOON, ..PATIENT }, ""),
        (Limits { header_timeout: SOON, ..PATIENT }, "GET / HTTP/1.1\r\nhost: at"),
        (Limits { body_timeout: SOON, ..PATIENT }, half_a_body),
    ] {
        let server = Served::start(limits).await;
        let slow = server.open(sent).await;
        assert_eq!(rest(slow).await, "", "{sent}");
    }
    // Between two requests, too; the header time-out does not apply to an idle connection.
    let server = Served::start(Limits { idle_timeout: SOON, ..PATIENT }).await;
    let mut idle = server.open("GET / HTTP/1.1\r\nhost: atoll\r\n\r\n").await;
    assert!(until(&mut idle, "hello").await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(idle).await, "");

    let mut server = Served::start(Limits { write_timeout: SOON, ..PATIENT }).await;
    let slow = server.open(&ask("/large")).await;
    server.dropped.recv().await.expect("the bytes go");
    assert!(rest(slow).await.len() < LARGE);
}

/// Of what is unread when a connection is closed, a client learns by a reset, which may come before its
/// answer.
#[tokio::test]
async fn client_that_is_refused_while_it_sends_reads_why() {
    let server = Served::start(PATIENT).await;
    let head = format!("POST /gate HTTP/1.1\r\nhost: atoll\r\ncontent-length: {LARGE}\r\n\r\n");
    let mut stream = server.open(&head).await;
    stream.write_all(&vec![b'x'; LARGE]).await.expect("somebody takes it");
    assert!(rest(stream).await.starts_with("HTTP/1.1 405"));
    // It does not go on for ever, and a shutdown does not wait for it.
    let stream = server.open(&head).await;
    let mut lingers = server.open(&head).await;
    assert!(rest(stream).await.starts_with("HTTP/1.1 405"), "nothing more is sent");
    until(&mut lingers, "\r\n\r\n").await;
    assert_eq!(server.stop().await, Drained { n_cut: 0 });
}

/// A byte now and then does not count as progress (slowloris).
#[tokio::test]
async fn slow_trickling_clients_are_disconnected() {
    let limits = Limits { header_timeout: SOON, body_timeout: SOON, ..PATIENT };
    for head in ["GET / HTTP/1.1\r\nx: ", "POST / HTTP/1.1\r\nhost: atoll\r\ncontent-length: 1000000\r\n\r\n"]
    {
        let server = Served::start(limits).await;
        let (mut read, mut write) = server.open(head).await.into_split();
        let trickle = tokio::spawn(async move {
            while write.write_all(b"x").await.is_ok() {
                tokio::time::sleep(SOON / 8).await;
            }
        });
        let mut answer = Vec::new();
        let _ = read.read_to_end(&mut answer).await;
        assert_eq!(answer, b"", "{head}");
        trickle.await.expect("it ends");
    }
}

#[tokio::test]
async fn slow_handlers_are_not_disconnected() {
    let all = Limits { header_timeout: SOON, body_timeout: SOON, idle_timeout: SOON, ..PATIENT };
    let mut server = Served::start(Limits { write_timeout: SOON, ..all }).await;
    let asked = server.open(&ask("/gate")).await;
    server.reached.recv().await.expect("it is there");
    // Another one is closed meanwhile: all time-outs have passed.
    assert_eq!(rest(server.open("").await).await, "");
    server.gate.notify_one();
    assert!(rest(asked).await.ends_with("through"));
}

#[tokio::test]
async fn connection_limit_evicts_idle_connections() {
    let mut server = Served::start(Limits { connections_max: 2, ..PATIENT }).await;
    let busy = server.open(&ask("/gate")).await;
    server.reached.recv().await.expect("it is there");
    let mut idle = server.open("GET / HTTP/1.1\r\nhost: atoll\r\n\r\n").await;
    until(&mut idle, "hello").await;
    assert!(rest(server.open(&ask("/")).await).await.ends_with("hello"));
    assert_eq!(rest(idle).await, "", "the one that was idle made room");
    // Connections with a running request are not closed.
    let second = server.open(&ask("/gate")).await;
    server.reached.recv().await.expect("it is there");
    let third = server.open(&ask("/")).await;
    server.gate.notify_one();
    server.gate.notify_one();
    for stream in [busy, second] {
        assert!(rest(stream).await.ends_with("through"));
    }
    assert!(rest(third).await.ends_with("hello"));
}

#[tokio::test]
async fn waiting_connection_replaces_one_that_becomes_idle() {
    let mut server = Served::start(Limits { connections_max: 1, ..PATIENT }).await;
    let _answering = server.open("GET /gate HTTP/1.1\r\nhost: atoll\r\n\r\n").await;
    server.reached.recv().await.expect("it is there");
    let waiting = server.open(&ask("/")).await;
    server.gate.notify_one();
    assert!(rest(waiting).await.ends_with("hello"));
}

#[tokio::test]
async fn memory_of_unread_answers_is_limited() {
    let mut server = Served::start(Limits { buffer_bytes_max: 3 * LARGE, ..PATIENT }).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = server.open(&ask("/large")).await;
        // The head has arrived, so the answer is held in memory.
        until(&mut stream, "\r\n\r\n").await;
        slow.push(stream);
    }
    for _ in 0..5 {
        server.dropped.recv().await.expect("the slowest are cut");
    }
    assert_eq!(server.n_large.load(Ordering::SeqCst), 3);
    // The newest ones are read completely.
    for stream in slow.split_off(5) {
        assert_eq!(rest(stream).await.len(), LARGE);
    }
    for stream in slow {
        assert!(rest(stream).await.len() < LARGE);
    }
}

#[tokio::test]
async fn shutdown_answers_begun_requests_and_closes_the_rest() {
    let mut server = Served::start(PATIENT).await;
    let idle = server.open("").await;
    let half_a_head = server.open("GET / HTTP/1.1\r\nhost: at").await;
    let half_a_body = server.open("POST / HTTP/1.1\r\nhost: atoll\r\ncontent-length: 9\r\n\r\nhalf").await;
    let mut kept = server.open("GET / HTTP/1.1\r\nhost: atoll\r\n\r\n").await;
    until(&mut kept, "hello").await;
    // A request whose body no route reads is complete.
    let answering = server.open("GET /gate HTTP/1.1\r\nhost: atoll\r\ncontent-length: 2\r\n\r\n{}").await;
    server.reached.recv().await.expect("it is there");
    let mut reading = server.open("GET /large HTTP/1.1\r\nhost: atoll\r\n\r\n").await;
    until(&mut reading, "\r\n\r\n").await;

    let (address, gate) = (server.address, server.gate.clone());
    let stopped = tokio::spawn(server.stop());
    for stream in [idle, half_a_head, half_a_body, kept] {
        assert_eq!(rest(stream).await, "");
    }
    assert!(TcpStream::connect(address).await.is_err(), "it takes no more");
    gate.notify_one();
    assert!(rest(answering).await.ends_with("through"));
    assert_eq!(rest(reading).await.len(), LARGE);
    assert_eq!(stopped.await.expect("it ends"), Drained { n_cut: 0 });
}

#[tokio::test]
async fn shutdown_has_a_timeout() {
    let mut server = Served::start(Limits { drain_timeout: SOON, ..PATIENT }).await;
    let answering = server.open(&ask("/gate")).await;
    server.reached.recv().await.expect("it is there");
    // A client that does not read its answer does not count as an aborted request.
    let mut reading = server.open(&ask("/large")).await;
    until(&mut reading, "\r\n\r\n").await;
    assert_eq!(server.stop().await, Drained { n_cut: 1 });
    assert_eq!(rest(answering).await, "");
}
