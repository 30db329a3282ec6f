//! A client that sends requests through the real router, without a socket.

use std::net::SocketAddr;

use atoll_api::token_for;
use atoll_auth::AuthIdentity;
use atoll_kernel::{Ctx, http::Uncached};
use atoll_storage::Position;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::{TestApp, described};

/// Sends requests with fixed headers. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    router: Router,
    ctx: Ctx,
    headers: Vec<(HeaderName, HeaderValue)>,
    says_json: bool,
    peer: Option<SocketAddr>,
    /// Whose token each request carries: a new one, which the clock of the application has not outdated.
    login: Option<(Ctx, AuthIdentity)>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The body as JSON; null if it is not JSON.
    pub json: Value,
}

impl Answer {
    /// The body of an answer that must be a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.json);
        self.json
    }

    /// `400 invalid_data: message`, for an answer that must be an error.
    #[track_caller]
    pub fn error(self) -> String {
        assert!(!self.status.is_success(), "{} is no error: {}", self.status, self.json);
        let text = |name: &str| self.json[name].as_str().unwrap_or("-").to_owned();
        let code = self.json["code"].as_str().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{} {}{code}: {}", self.status.as_u16(), text("type"), text("message"))
    }
}

impl Client {
    pub(crate) fn new(router: Router, ctx: Ctx) -> Client {
        Client { router, ctx, headers: Vec::new(), says_json: true, peer: None, login: None }
    }

    /// A client of another application with the same headers.
    pub fn on(&self, app: &TestApp) -> Client {
        let login = self.login.clone().map(|(_, identity)| (app.ctx.clone(), identity));
        Client { headers: self.headers.clone(), login, ..app.client() }
    }

    /// The same client, logged in as this user.
    pub(crate) fn logged_in(self, ctx: &Ctx, identity: AuthIdentity) -> Client {
        Client { login: Some((ctx.clone(), identity)), ..self }
    }

    /// The same client, without a content type.
    pub fn without_type(self) -> Client {
        Client { says_json: false, ..self }
    }

    /// The same client, which connects from this address.
    pub fn from_peer(self, address: &str) -> Client {
        Client { peer: Some(SocketAddr::new(address.parse().expect("an address"), 4711)), ..self }
    }

    /// The same client with this header; it replaces an earlier one of this name.
    pub fn with_header(mut self, name: &str, value: &str) -> Client {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        if name == header::AUTHORIZATION {
            self.login = None;
        }
        self.headers.retain(|(it, _)| *it != name);
        self.headers.push((name, HeaderValue::from_str(value).expect("a header's value")));
        self
    }

    /// `GET path`
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Body::empty()).await
    }

    /// `POST path` with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, Body::from(body.to_string())).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, Body::empty()).await
    }

    /// Any request. An answer that was remembered must be the same as one that is worked out anew.
    pub async fn send(&self, method: &str, path: &str, body: Body) -> Answer {
        if method != "GET" {
            return self.send_once(method, path, body, false).await;
        }
        let n_remembered = || self.ctx.answer_cache_counts().map_or(0, |it| it.remembered);
        let mut n_tries = 0;
        loop {
            let before = (self.last_commit(), self.ctx.now(), n_remembered());
            let answer = self.get_once(path, false).await;
            // Compressed ones are not: how well that is done depends on whether they are remembered.
            let is_plain =
                answer.status == StatusCode::OK && !answer.headers.contains_key(header::CONTENT_ENCODING);
            if n_remembered() == before.2 || !is_plain {
                return answer;
            }
            let anew = self.get_once(path, true).await;
            let is_same = answer.status == anew.status && answer.body == anew.body;
            // In between, another task may have written, or moved the clock.
            if is_same || (self.last_commit(), self.ctx.now()) != (before.0, before.1) {
                return answer;
            }
            n_tries += 1;
            assert!(n_tries < 3, "GET {path} is outdated: {}\nand should be: {}", answer.json, anew.json);
        }
    }

    async fn get_once(&self, path: &str, is_uncached: bool) -> Answer {
        self.send_once("GET", path, Body::empty(), is_uncached).await
    }

    /// `GET path`, whose answer is not compared with a fresh one.
    pub async fn get_unchecked(&self, path: &str) -> Answer {
        self.get_once(path, false).await
    }

    /// `GET path`, answered without what is remembered.
    pub async fn get_uncached(&self, path: &str) -> Answer {
        self.get_once(path, true).await
    }

    fn last_commit(&self) -> Position {
        *self.ctx.store().commits().borrow()
    }

    async fn send_once(&self, method: &str, path: &str, body: Body, is_uncached: bool) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if self.says_json {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if !self.headers.iter().any(|(name, _)| name == header::HOST) {
            request = request.header(header::HOST, "atoll.test");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some((ctx, identity)) = &self.login {
            let token = token_for(ctx, identity, "user").expect("a token");
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if is_uncached {
            request = request.extension(Uncached);
        }
        if let Some(peer) = self.peer {
            request = request.extension(ConnectInfo(peer));
        }
        let request = request.body(body).expect("a request");
        let asked = request.uri().path().to_owned();
        let answer = match self.router.clone().oneshot(request).await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if !headers.contains_key(header::CONTENT_ENCODING) && status != StatusCode::NOT_MODIFIED {
            described::check(method, &asked, status.as_u16(), &json);
        }
        Answer { status, headers, body: bytes, json }
    }
}
