//! A route: one line of a table, with everything that there is to know resource it.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use atoll_query::Context;
use atoll_schema::{Body, ListParams, Params};
use atoll_storage::{JsonObject, View};
use axum::http::{HeaderName, HeaderValue, StatusCode, header, request::Parts};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use crate::{Fault, Origins};

/// What answers requests: lets them in, and is handed to every handler.
pub trait App: Clone + Send + Sync + 'static {
    /// What a request that was let in carries: who asks, and what they may see.
    type Pass: Clone + Send + 'static;

    /// Which pages may call.
    fn origins(&self) -> &Origins;

    /// The places of requests that are answered at the same time.
    fn permits(&self) -> &Arc<Semaphore>;

    /// The state after the last commit.
    fn view(&self) -> View;

    /// Lets a request in, or says why not; with the snapshot that it looked at.
    fn admit(&self, auth: Auth, head: &Head) -> Result<(Self::Pass, View), Fault>;

    /// What answers to a request that was let in depend on: its time, and the wall that it does not see beyond.
    fn context(pass: &Self::Pass) -> &Context;

    /// Calls the handler of a route, or answers as it answered the same request before.
    fn handle(
        route: &'static Route<Self>,
        call: Call<Self>,
        repeat: Option<IdempotentRequest>,
        disconnect: Disconnect,
    ) -> impl Future<Output = Result<Reply, Fault>> + Send;
}

/// Comes to an end when the client of a request is gone, or has its answer.
pub struct Disconnect(oneshot::Receiver<()>);

impl Disconnect {
    /// It, and what must be held as long as there is a client.
    pub(crate) fn new() -> (oneshot::Sender<()>, Disconnect) {
        let (client, disconnect) = oneshot::channel();
        (client, Disconnect(disconnect))
    }
}

impl Future for Disconnect {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

/// A write whose client may send it again, and wants it done once.
pub struct IdempotentRequest {
    /// What the client knows it by: its `Idempotency-Key`.
    pub key: String,
    /// All that is asked: method, path, parameters and body.
    pub fingerprint: String,
}

/// A request without its body: method, address, headers, and whom it came from.
pub type Head = Parts;

/// Who may call a route. There is no default: no auth, no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Public,
    /// Whoever registered or logged in, as whatever they are; perhaps they are nobody yet.
    Identity,
    /// Admin users and secret keys.
    Admin,
    /// Admin users.
    User,
    /// Whoever has a publishable key. A customer who is logged in is known.
    Store,
    /// Whoever has a publishable key, and registered to become a customer.
    NewCustomer,
    /// Customers who are logged in, with a publishable key.
    Customer,
}

impl Auth {
    /// Is it for admins?
    pub fn is_admin(self) -> bool {
        matches!(self, Auth::Admin | Auth::User)
    }

    /// Is it behind a publishable key?
    pub fn is_store(self) -> bool {
        matches!(self, Auth::Store | Auth::NewCustomer | Auth::Customer)
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
    /// Removes.
    Delete,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        })
    }
}

/// How an entity is named in answers.
pub trait Envelope: Sync {
    /// The entity.
    fn entity(&self) -> &'static str;
    /// The name of one in an envelope.
    fn one(&self) -> &'static str;
    /// The name of a list in an envelope.
    fn many(&self) -> &'static str;
}

/// What a route answers when all went well, for whoever describes it.
#[derive(Clone, Copy)]
pub enum Answer {
    /// An object, of which no more is declared.
    Object,
    /// A page for people to read.
    Html,
    /// That it was heard (201), and nothing more.
    Created,
    /// One record, in its envelope.
    One(&'static dyn Envelope),
    /// A page of a list.
    Page(&'static dyn Envelope),
    /// That a record is gone.
    Deleted,
    /// That something is gone from this record, and the record.
    DeletedFrom(&'static dyn Envelope),
    /// The records that were created and updated, and the ids of those that were deleted.
    Batch(&'static dyn Envelope),
}

impl Answer {
    /// What a route answers: what it says itself, or else what such routes of a table resource these records do.
    pub const fn of(
        declared: Option<Answer>,
        resource: Option<&'static dyn Envelope>,
        method: Method,
        params: &Params,
    ) -> Answer {
        match (declared, resource, method) {
            (Some(answer), ..) => answer,
            (None, None, _) => Answer::Object,
            (None, Some(_), Method::Delete) => Answer::Deleted,
            (None, Some(it), Method::Get) if params.limit.is_some() => Answer::Page(it),
            (None, Some(it), _) => Answer::One(it),
        }
    }
}

/// An async function from a call to a reply.
pub type Handler<A> = fn(Call<A>) -> Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send>>;

/// A line of the route table.
pub struct Route<A: App> {
    /// The method.
    pub method: Method,
    /// The path; `:name` is a parameter.
    pub path: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// Its parameters.
    pub params: &'static Params,
    /// Its body, if it takes one.
    pub body: Option<Body>,
    /// Bytes that its body may have, if not as many as others: [`BODY_BYTES_MAX`](atoll_values::limits::BODY_BYTES_MAX).
    pub body_bytes_max: Option<usize>,
    /// What it answers.
    pub answer: Answer,
    /// The feature that it belongs to; without that it is unknown.
    pub flag: Option<&'static str>,
    /// What it does.
    pub handler: Handler<A>,
}

/// A request that was let in and whose parameters and body were checked.
#[derive(Clone)]
pub struct Call<A: App> {
    /// The application.
    pub app: A,
    /// What the guard gave it.
    pub pass: A::Pass,
    /// The snapshot that it reads: the one that the guard looked at, or, where a body had to arrive first, one of then. A
    /// handler that waits for something drops it: a view that is held keeps the store from reusing space.
    pub view: View,
    /// The request itself.
    pub head: Arc<Head>,
    /// The query string.
    pub params: ListParams,
    pub(crate) path: HashMap<String, String>,
    pub(crate) body: Value,
}

impl<A: App> Call<A> {
    /// The path's parameter of this name.
    ///
    /// # Panics
    /// When the route's path has no such parameter.
    pub fn path(&self, name: &str) -> &str {
        self.path.get(name).unwrap_or_else(|| panic!("the route has no parameter `{name}`"))
    }

    /// What its answer depends on: the time, and the wall of who asks.
    pub fn context(&self) -> &Context {
        A::context(&self.pass)
    }

    /// The body, as the route described it.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Reads the body into `T`. Numbers that a description lets through and `T` does not are the client's.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        serde_json::from_value(self.body.take())
            .map_err(|error| Fault::invalid(format!("Invalid request: {error}")))
    }
}

/// What a page may do: run what is written in it, and ask us.
const PAGE_POLICY: &str =
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its JSON, or its page.
    pub json: Bytes,
    /// Headers beside those that every answer has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Does it hold something that is shown once, and must be stored nowhere?
    pub is_secret: bool,
}

impl Reply {
    /// 200 with JSON that is written already.
    pub fn raw(json: impl Into<Bytes>) -> Reply {
        Reply { status: StatusCode::OK, json: json.into(), headers: Vec::new(), is_secret: false }
    }

    /// 200 with a page, which may run its own scripts and ask us, and nobody else.
    pub fn html(page: impl Into<Bytes>) -> Reply {
        Reply::raw(page)
            .with_header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .with_header(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
    }

    /// 200 with this value.
    pub fn json(value: &Value) -> Reply {
        Reply::raw(value.to_string().into_bytes())
    }

    /// 200 with an object that `write` fills.
    pub fn object(write: impl FnOnce(&mut JsonObject<'_>) -> Result<(), Fault>) -> Result<Reply, Fault> {
        let mut json = Vec::with_capacity(1024);
        let mut object = JsonObject::new(&mut json);
        write(&mut object)?;
        object.end();
        Ok(Reply::raw(json))
    }

    /// The same, with something in it that is shown once: it is stored nowhere.
    pub fn secret(self) -> Reply {
        Reply { is_secret: true, ..self }
    }

    /// With another status.
    pub fn with_status(mut self, status: StatusCode) -> Reply {
        self.status = status;
        self
    }

    /// With this header. One whose value is no header's is left out.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Reply {
        self.headers.extend(HeaderValue::from_str(value).map(|it| (name, it)));
        self
    }
}
