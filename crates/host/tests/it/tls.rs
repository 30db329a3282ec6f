//! TLS and HTTP/2 over real sockets: the handshake, the reload of certificates, and the limits of connections
//! whose requests run at the same time.
//!
//! The certificates in `tls/` are for `localhost`, by an issuer of their own, and good until 2124.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use atoll_host::http::{Drained, Limits, Listener, Tls, serve};
use atoll_kernel::{http::OverTls, limits::HANDSHAKES_MAX};
use axum::{Extension, Router, body::Bytes, http::HeaderMap, routing::get};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    http::{NEVER, PATIENT, SOON},
    server::Server,
};

/// More than the operating system and the windows of HTTP/2 hold of an unread answer.
const LARGE: usize = 32 << 20;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(name)).expect("a certificate")
}

struct Served {
    address: SocketAddr,
    tls: Tls,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Drained>,
    /// `/gate` reports that it was reached, and waits until it is opened.
    reached: mpsc::UnboundedReceiver<()>,
    gate: Arc<Notify>,
}

impl Served {
    async fn start(limits: Limits) -> Served {
        let tls = Tls::load(&file("first.pem"), &file("first.key")).expect("a certificate");
        Served::start_with(tls, limits).await
    }

    async fn start_with(tls: Tls, limits: Limits) -> Served {
        let (reach, reached) = mpsc::unbounded_channel();
        let gate = Arc::new(Notify::new());
        let opened = gate.clone();
        let seen = async |headers: HeaderMap, tls: Option<Extension<OverTls>>| {
            let host = headers.get("host").and_then(|it| it.to_str().ok()).unwrap_or("none").to_owned();
            format!("{host}, {}", if tls.is_some() { "over TLS" } else { "plain" })
        };
        let pass = async move || {
            let _ = reach.send(());
            opened.notified().await;
            "through"
        };
        let router = Router::new()
            .route("/", get(seen).post(async |body: Bytes| body.len().to_string()))
            .route("/gate", get(pass))
            .route("/large", get(async || vec![b'x'; LARGE]));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let listener = Listener::new(listener, Some(tls.clone()));
        let stopped = async { drop(stopped.await) };
        let done = tokio::spawn(serve(listener, router, limits, Arc::default(), stopped));
        Served { address, tls, stop, done, reached, gate }
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// A connection whose client speaks these protocols.
    async fn connect(&self, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate("ca.pem")).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, self.tcp().await).await.expect("a handshake")
    }

    /// A client that speaks HTTP/2, and what tells when its connection has ended.
    async fn http2(&self) -> (Client, JoinHandle<()>) {
        let stream = TokioIo::new(self.connect(&[b"h2"]).await);
        let handshake = http2::Builder::new(TokioExecutor::new()).handshake(stream);
        let (client, connection) = handshake.await.expect("HTTP/2");
        (Client(client), tokio::spawn(async { drop(connection.await) }))
    }
}

#[derive(Clone)]
struct Client(http2::SendRequest<Full<Bytes>>);

impl Client {
    async fn ask(&mut self, path: &str, body: Option<Bytes>) -> hyper::Result<Response<Incoming>> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        let request = request.body(Full::new(body.unwrap_or_default())).expect("a request");
        self.0.send_request(request).await
    }

    async fn text(&mut self, path: &str) -> String {
        text(self.ask(path, None).await.expect("an answer")).await
    }
}

async fn text(answer: Response<Incoming>) -> String {
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Reads until the connection is closed.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    String::from_utf8(text).expect("text")
}

#[tokio::test]
async fn protocol_is_what_both_sides_speak() {
    let server = Served::start(PATIENT).await;
    let (mut client, _) = server.http2().await;
    assert_eq!(client.text("/").await, "localhost, over TLS");
    for protocols in [&[b"http/1.1".as_slice()][..], &[]] {
        let mut stream = server.connect(protocols).await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await
            .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer that is ended by TLS");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("a, over TLS"), "{answer}");
    }
}

#[tokio::test]
async fn requests_of_a_connection_run_at_the_same_time() {
    let mut server = Served::start(PATIENT).await;
    let (mut client, _) = server.http2().await;
    let mut waiting = client.clone();
    let gate = tokio::spawn(async move { waiting.text("/gate").await });
    server.reached.recv().await.expect("it is there");
    // More than a window of bytes in both directions, beside the one that waits.
    let sent = client.ask("/", Some(vec![b'x'; 1 << 20].into())).await.expect("an answer");
    assert_eq!(text(sent).await, (1 << 20).to_string());
    assert_eq!(client.text("/large").await.len(), LARGE);
    server.gate.notify_one();
    assert_eq!(gate.await.expect("an answer"), "through");
}

#[tokio::test]
async fn handshake_has_a_timeout() {
    let server = Served::start(Limits { header_timeout: SOON, ..PATIENT }).await;
    for sent in [&[][..], &[22], &[22, 3, 1, 2, 0, 1]] {
        let mut slow = server.tcp().await;
        slow.write_all(sent).await.expect("it is sent");
        assert_eq!(rest(slow).await, "");
    }
}

#[tokio::test]
async fn handshakes_beyond_the_limit_end_the_longest() {
    let server = Served::start(Limits { connections_max: 2 * HANDSHAKES_MAX, ..PATIENT }).await;
    let first = server.tcp().await;
    let mut stalled = Vec::new();
    for _ in 0..HANDSHAKES_MAX {
        stalled.push(server.tcp().await);
    }
    assert_eq!(rest(first).await, "");
    let (mut client, _) = server.http2().await;
    assert_eq!(client.text("/").await, "localhost, over TLS");
}

#[tokio::test]
async fn plain_http_is_told_to_use_tls() {
    let server = Served::start(PATIENT).await;
    let mut plain = server.tcp().await;
    plain.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("it is sent");
    let answer = rest(plain).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("use https"), "{answer}");
}

#[tokio::test]
async fn changed_certificate_is_loaded_and_a_bad_one_is_not() {
    let folder = TempDir::new().expect("a folder");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let put = |name: &str| {
        fs::copy(file(&format!("{name}.pem")), &cert).expect("a copy");
        fs::copy(file(&format!("{name}.key")), &key).expect("a copy");
    };
    put("first");
    let server = Served::start_with(Tls::load(&cert, &key).expect("a certificate"), PATIENT).await;
    let shown = async || {
        let stream = server.connect(&[]).await;
        stream.get_ref().1.peer_certificates().expect("a chain")[0].clone()
    };
    assert_eq!(server.tls.reload(), Ok(false));
    put("second");
    assert_eq!(server.tls.reload(), Ok(true));
    assert_eq!(shown().await, certificate("second.pem"));
    // A certificate that came before its key.
    fs::copy(file("first.pem"), &cert).expect("a copy");
    let error = server.tls.reload().expect_err("they do not fit");
    assert!(error.contains("do not fit together"), "{error}");
    assert_eq!(shown().await, certificate("second.pem"));
    put("first");
    assert_eq!(server.tls.reload(), Ok(true));
    assert_eq!(shown().await, certificate("first.pem"));
    fs::write(&cert, "half of a cert").expect("a file");
    assert!(server.tls.reload().expect_err("it is none").contains("holds no certificate"));
    fs::remove_file(&cert).expect("a file");
    assert!(server.tls.reload().expect_err("it is gone").contains("cannot be read"));
    assert_eq!(shown().await, certificate("first.pem"));
}

#[tokio::test]
async fn client_timeouts_close_http2_connections() {
    // Between requests, whatever else the client sends.
    let server = Served::start(Limits { idle_timeout: SOON, ..PATIENT }).await;
    let (mut client, ended) = server.http2().await;
    client.text("/").await;
    ended.await.expect("it ends");

    // One answer that is not read, beside others that are.
    let server = Served::start(Limits { write_timeout: SOON * 4, ..PATIENT }).await;
    let (mut client, ended) = server.http2().await;
    let unread = client.ask("/large", None).await.expect("a head");
    while let Ok(answer) = client.ask("/", None).await {
        let _ = answer.into_body().collect().await;
    }
    drop(unread);
    ended.await.expect("it ends");

    // A body of which nothing more comes.
    let server = Served::start(Limits { body_timeout: SOON, ..PATIENT }).await;
    let stream = TokioIo::new(server.connect(&[b"h2"]).await);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), stream).await.expect("HTTP/2");
    let ended = tokio::spawn(async { drop(connection.await) });
    let (half, body) = mpsc::unbounded_channel::<()>();
    let request = Request::post("https://localhost/").body(Stalled(body)).expect("a request");
    assert!(client.send_request(request).await.is_err());
    ended.await.expect("it ends");
    drop(half);
}

/// A body of which nothing comes until its sender is dropped.
struct Stalled(mpsc::UnboundedReceiver<()>);

impl hyper::body::Body for Stalled {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|_| None)
    }
}

#[tokio::test]
async fn slow_handlers_of_http2_are_not_disconnected() {
    let all = Limits { header_timeout: SOON, body_timeout: SOON, idle_timeout: SOON, ..PATIENT };
    let mut server = Served::start(Limits { write_timeout: SOON, header_timeout: NEVER, ..all }).await;
    let (mut client, _) = server.http2().await;
    let gate = tokio::spawn(async move { client.text("/gate").await });
    server.reached.recv().await.expect("it is there");
    // Another one is closed meanwhile: all time-outs have passed.
    let (_idle, ended) = server.http2().await;
    ended.await.expect("it ends");
    server.gate.notify_one();
    assert_eq!(gate.await.expect("an answer"), "through");
}

#[tokio::test]
async fn memory_of_unread_answers_is_limited_over_http2() {
    let server = Served::start(Limits { buffer_bytes_max: 3 * LARGE, ..PATIENT }).await;
    let (mut first, ended) = server.http2().await;
    let _unread = first.ask("/large", None).await.expect("a head");
    let (mut second, _) = server.http2().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(second.ask("/large", None).await.expect("a head"));
    }
    ended.await.expect("the slowest is cut");
    for answer in held {
        assert_eq!(text(answer).await.len(), LARGE);
    }
}

#[tokio::test]
async fn shutdown_answers_begun_requests_of_http2() {
    let mut server = Served::start(PATIENT).await;
    let (_idle, idle_ended) = server.http2().await;
    let (mut client, ended) = server.http2().await;
    let gate = tokio::spawn(async move { client.text("/gate").await });
    server.reached.recv().await.expect("it is there");
    let opened = server.gate.clone();
    server.stop.send(()).expect("it serves");
    idle_ended.await.expect("it ends");
    opened.notify_one();
    assert_eq!(gate.await.expect("an answer"), "through");
    ended.await.expect("it ends");
    assert_eq!(server.done.await.expect("it ends"), Drained { n_cut: 0 });
}

/// The settings, the cookie and the links of the whole program follow; metrics stay as they are.
#[test]
fn program_serves_https_with_secure_cookies() {
    let folder = TempDir::new().expect("a folder");
    let (cert, key) = (file("first.pem"), file("first.key"));
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let server =
        Server::start(&folder.path().join("data"), &["--demo", "--tls-cert", cert, "--tls-key", key]);
    assert!(server.printed.contains("Atoll demo at https://127.0.0.1:"), "{}", server.printed);
    let curl = |args: &[&str], path: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "--cacert"]).arg(file("ca.pem")).args(args);
        let done = curl.arg(format!("https://{}{path}", server.address)).output().expect("curl runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let login = r#"{"email":"admin@atoll.test","password":"atoll-demo"}"#;
    let logged_in = curl(&["-H", "content-type: application/json", "-d", login], "/auth/user/emailpass");
    let (_, token) = logged_in.split_once("\"token\":\"").expect("a token");
    let bearer = format!("authorization: Bearer {}", token.split('"').next().expect("a token"));
    for (version, line) in [("--http1.1", "HTTP/1.1 200"), ("--http2", "HTTP/2 200")] {
        let session = curl(&[version, "-X", "POST", "-H", &bearer], "/auth/session");
        assert!(session.starts_with(line) && session.contains("; Secure"), "{session}");
    }
}

/// Waiting would only hide what is wrong.
#[test]
fn files_that_do_not_fit_are_refused_at_the_start() {
    let folder = TempDir::new().expect("a folder");
    let (cert, key) = (file("first.pem"), file("second.key"));
    let (cert, key) = (cert.to_str().expect("text"), key.to_str().expect("text"));
    let args = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
    let (ok, said) = crate::command::atoll(folder.path(), &args);
    assert!(!ok && said.contains("do not fit together"), "{said}");
}
