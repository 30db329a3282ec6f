//! Requests over sockets.

use atoll_kernel::limits::IDLE_TIMEOUT;
use std::path::Path;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode},
    routing::post,
};
use http_body_util::BodyExt as _;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::*;

async fn serve(router: Router) -> String {
    let (listener, url) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

fn request(path: &str, body: Body) -> Request {
    let request = Request::post(path).header("host", "shop.example").header("cookie", "a=1");
    request.body(body).expect("a request")
}

async fn text(answer: Response) -> String {
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// What a host was sent, up to the end of its head or of its two bytes of body.
async fn arrived(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\nok") {
        assert_ne!(stream.read_buf(&mut read).await.expect("bytes"), 0, "it ended: {read:?}");
    }
    String::from_utf8(read).expect("a text")
}

#[tokio::test]
async fn requests_arrive_as_they_were_sent() {
    let echo = async |headers: HeaderMap, body: Bytes| {
        let said = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or("-").to_owned();
        format!("{} {} {} {}", said("host"), said("cookie"), said("accept-encoding"), body.len())
    };
    let moved = async || axum::response::Redirect::to("/elsewhere");
    let url = serve(Router::new().route("/a/{id}", post(echo)).route("/moved", post(moved))).await;
    let client = PeerClient::default();
    let answer = client.send(&url, request("/a/b?c=%20d", Body::from(vec![0; 1 << 20]))).await;
    assert_eq!(text(answer.expect("an answer")).await, "shop.example a=1 - 1048576");
    let moved = client.send(&url, request("/moved", Body::empty())).await.expect("an answer");
    assert_eq!(moved.status(), StatusCode::SEE_OTHER, "it is the client that follows");
    assert_eq!(moved.headers()["location"], "/elsewhere");
}

/// An address is signed, and decides who answers: the same bytes arrive, whatever other programs make of
/// them.
#[tokio::test]
async fn addresses_arrive_byte_by_byte() {
    let (listener, url) = listen().await;
    let client = PeerClient::default();
    for path in ["/", "/a/../b", "/a/%2e%2E/b//", "/a\"{b}'|\\?q='a'&r={b}|^`\\", "/?", "/a%", "/ä?ö"] {
        let (sent, host) = tokio::join!(client.send(&url, request(path, Body::from("ok"))), async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let arrived = arrived(&mut stream).await;
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.expect("it is sent");
            arrived
        });
        assert_eq!(sent.expect("an answer").status(), StatusCode::NO_CONTENT);
        assert_eq!(host.lines().next(), Some(&*format!("POST {path} HTTP/1.1")));
    }
}

#[tokio::test]
async fn host_that_is_not_there_got_nothing_and_one_that_breaks_off_perhaps_did() {
    let client = PeerClient::default();
    let (listener, url) = listen().await;
    let breaks_off = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.readable().await.expect("a request");
    });
    let secret = || request("/?token=secret", Body::from("x"));
    let broken = client.send(&url, secret()).await.expect_err("no answer");
    assert!(matches!(broken, PeerError::NoAnswer(_)), "{broken}");
    breaks_off.await.expect("no panic");
    let absent = client.send(&url, secret()).await.expect_err("nobody listens");
    assert!(matches!(absent, PeerError::NotSent(_)), "{absent}");
    let nowhere = client.send("not a url", secret()).await.expect_err("it is no address");
    assert!(matches!(nowhere, PeerError::NotSent(_)), "{nowhere}");
    for error in [broken, absent, nowhere] {
        assert!(!error.to_string().contains("secret"), "it goes to the log: {error}");
    }
}

/// The server closes connections that are idle for longer than its `idle_timeout`.
#[tokio::test]
async fn connections_are_kept_for_a_while_and_not_used_when_they_were_idle_for_longer() {
    const { assert!(PEER_IDLE_TIMEOUT.as_secs() * 4 < IDLE_TIMEOUT.as_secs()) };
    for (idle, n_connections) in [(PEER_IDLE_TIMEOUT, 1), (Duration::ZERO, 3)] {
        let (listener, url) = listen().await;
        let client = PeerClient::new(idle, RootCertStore::empty());
        let host = tokio::spawn(async move {
            for _ in 0..n_connections {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                for _ in 0..3 / n_connections {
                    arrived(&mut stream).await;
                    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("it is sent");
                }
            }
        });
        for _ in 0..3 {
            let answer = client.send(&url, request("/", Body::from("ok"))).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        }
        host.await.expect("no panic");
    }
}

/// The certificate is for `localhost`, by an issuer of its own.
#[tokio::test]
async fn hosts_at_https_are_verified() {
    let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/tests/it/tls").join(name);
    let certificate = |name: &str| CertificateDer::from_pem_file(file(name)).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(file("first.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let server = server.expect("versions").with_no_client_auth();
    let server = server.with_single_cert(vec![certificate("first.pem")], key).expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(server));
    let (listener, url) = listen().await;
    let url = url.replace("http://127.0.0.1", "https://localhost");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 1024];
            let n_bytes = stream.read(&mut head).await.expect("a request");
            assert!(head[..n_bytes].starts_with(b"POST /a HTTP/1.1\r\n"));
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("it is sent");
        }
    });
    let mut roots = RootCertStore::empty();
    let stranger = PeerClient::new(PEER_IDLE_TIMEOUT, roots.clone());
    let refused = stranger.send(&url, request("/a", Body::empty())).await.expect_err("it is of nobody");
    assert!(matches!(refused, PeerError::NotSent(_)), "{refused}");
    roots.add(certificate("ca.pem")).expect("an issuer");
    let client = PeerClient::new(PEER_IDLE_TIMEOUT, roots);
    let answer = client.send(&url, request("/a", Body::empty())).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn methods_and_versions_go_on() {
    let (listener, url) = listen().await;
    let mut deleted = request("/a", Body::from("ok"));
    *deleted.method_mut() = Method::DELETE;
    let client = PeerClient::default();
    let (sent, host) = tokio::join!(client.send(&url, deleted), async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        arrived(&mut stream).await
    });
    assert!(sent.is_err(), "it was cut");
    assert!(host.starts_with("DELETE /a HTTP/1.1\r\n") && host.contains("host: shop.example\r\n"), "{host}");
}
