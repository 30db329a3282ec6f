//! An HTTP client: one connection, one request at a time.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request,
    client::conn::http1::{SendRequest, handshake},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A connection to a server, with the headers of all its requests. It is opened with the first request.
pub(crate) struct Client {
    address: SocketAddr,
    headers: HeaderMap,
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body, if the request succeeded; the error of the server otherwise.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        if !(200..300).contains(&self.status) {
            let text = String::from_utf8_lossy(&self.body);
            bail!("{} {}", self.status, text.chars().take(300).collect::<String>());
        }
        serde_json::from_slice(&self.body).context("an answer is no JSON")
    }
}

impl Client {
    /// Without credentials.
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client { address, headers: HeaderMap::new(), sender: None }
    }

    /// Sends this header with each request.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Client {
        let value = HeaderValue::from_str(value).expect("keys and tokens are ASCII");
        self.headers.insert(name, value);
        self
    }

    /// Uses the token of a user.
    pub(crate) fn with_token(self, token: &str) -> Client {
        self.with(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// Uses a publishable key.
    pub(crate) fn with_key(self, key: &str) -> Client {
        self.with(HeaderName::from_static("x-publishable-api-key"), key)
    }

    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, body.to_string().into()).await?.json().with_context(|| path.to_owned())
    }

    /// Sends a request, and reads the whole answer.
    pub(crate) async fn send(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, "localhost");
        let headers = request.headers_mut().context(path.to_owned())?;
        headers.extend(self.headers.clone());
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = request.body(Full::new(body))?;
        let sender = self.connected().await?;
        let answered = async {
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        let answered: Result<Answer, hyper::Error> = answered.await;
        if answered.is_err() {
            self.sender = None;
        }
        answered.with_context(|| format!("no answer to {path}"))
    }

    async fn connected(&mut self) -> anyhow::Result<&mut SendRequest<Full<Bytes>>> {
        // A server may have closed a connection that was idle.
        let is_open = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !is_open {
            let stream = TcpStream::connect(self.address).await.context("the server cannot be reached")?;
            stream.set_nodelay(true)?;
            let (sender, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            self.sender = Some(sender);
        }
        Ok(self.sender.as_mut().expect("it was just opened"))
    }
}
