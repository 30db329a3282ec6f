//! The route table: methods, authentication, parameters, bodies, answers, replies.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use atoll_query::{Context, StoreFields};
use atoll_schema::{Body, Field, ListParams, Params, Type, required};
use atoll_storage::{JsonObject, Meter, Recorder, View};
use atoll_values::Timestamp;
use axum::http::{Extensions, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};

use crate::{
    AnswerCache, Caller, CountedKeys, Fault, Files, Hosts, Observed, Origins, Proxies, RequestCounters,
    Tracer, counters::RouteCounters, upload::Unread,
};

/// The application behind the router: authenticates requests and runs handlers.
pub trait App: Clone + Send + Sync + 'static {
    /// What authentication yields: the caller, and what they may see.
    type Pass: Clone + Send + 'static;

    /// The CORS allow-lists.
    fn origins(&self) -> &Origins;

    /// The name of the cookie by which the guard finds a session.
    const SESSION_COOKIE: &'static str;

    /// The answers that are remembered; `None` if none are.
    fn answers(&self) -> Option<&AnswerCache>;

    /// The current time.
    fn clock(&self) -> Timestamp;

    /// The same application for one request, whose answer is to be remembered, and what records on what it
    /// depends. `None` if the answers of this route depend on more.
    fn recorded(&self, route: &'static Route<Self>) -> Option<(Self, Arc<Recorder>)>;

    /// The answer to this request depends on something that is not recorded: it is not remembered.
    fn lose(&self);

    /// The semaphore that limits concurrent requests.
    fn permits(&self) -> &Arc<Semaphore>;

    /// The hosts that serve the same shop; `None` if this one is alone.
    fn hosts(&self) -> Option<&Hosts>;

    /// The counters of its requests.
    fn counters(&self) -> &RequestCounters;

    /// Begins spans; `None` if none are collected.
    fn tracer(&self) -> Option<&Tracer>;

    /// The proxies that are trusted.
    fn proxies(&self) -> &Proxies;

    /// The same application for a request, which tells by this what it reads and commits, and which has its
    /// span.
    fn observed(&self, by: &Observed) -> Self;

    /// The snapshot of the last commit.
    fn view(&self) -> View;

    /// Authenticates a request. Returns the snapshot that it used as well.
    fn admit(&self, auth: Auth, caller: Caller<'_>) -> Result<(Self::Pass, View), Fault>;

    /// The query context of a request: its time, and the wall that confines it.
    fn context(pass: &Self::Pass) -> &Context;

    /// Is what this caller sees for one customer alone?
    fn is_personal(pass: &Self::Pass) -> bool;

    /// The kind of this caller, for the log: `admin`, `customer`, `storefront`, `none`.
    fn actor_kind(pass: &Self::Pass) -> &'static str;

    /// Calls the handler of a route, or replays the stored answer of an idempotent request.
    fn handle(
        route: &'static Route<Self>,
        call: Call<Self>,
        repeat: Option<IdempotentRequest>,
        disconnect: Disconnect,
    ) -> impl Future<Output = Result<Reply, Fault>> + Send;
}

/// A future that resolves when the client has disconnected or has its answer.
pub struct Disconnect(oneshot::Receiver<()>);

impl Disconnect {
    /// The future, and a guard to hold while the client is connected.
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

/// A write with an idempotency key: a retry of it is answered from the first run.
pub struct IdempotentRequest {
    /// The client's `Idempotency-Key`.
    pub key: String,
    /// Method, path, parameters and body: the same key with another request is an error.
    pub fingerprint: String,
}

/// The head of a request: method, address, headers and extensions such as the peer address.
pub type Head = Parts;

/// The authentication that a route requires. There is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// No authentication.
    Public,
    /// A token of an identity of any actor type, with or without an account.
    Identity,
    /// An admin user or a secret API key.
    Admin,
    /// An admin user.
    User,
    /// A publishable key. The token of a customer is optional.
    Store,
    /// A publishable key, and the token of a customer identity without an account.
    NewCustomer,
    /// A publishable key, and the token of a customer.
    Customer,
}

impl Auth {
    /// Does it require an admin?
    pub fn is_admin(self) -> bool {
        matches!(self, Auth::Admin | Auth::User)
    }

    /// Does it require a publishable key?
    pub fn is_store(self) -> bool {
        matches!(self, Auth::Store | Auth::NewCustomer | Auth::Customer)
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Creates, updates or runs an action.
    Post,
    /// Deletes.
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

/// The names of an entity in the envelopes of answers.
pub trait Envelope: Sync {
    /// The name of the entity in the graph.
    fn entity(&self) -> &'static str;
    /// The key of one record: `product`.
    fn one(&self) -> &'static str;
    /// The key of a list: `products`.
    fn many(&self) -> &'static str;
    /// The allow-list of what store routes show of a record; without one it is for admins, who see
    /// everything.
    fn store_fields(&self) -> Option<&StoreFields>;
}

/// The shape of the successful answer of a route, for OpenAPI.
#[derive(Clone, Copy)]
pub enum Answer {
    /// A JSON object of these fields.
    Object(&'static [Part]),
    /// An answer of one of these shapes.
    OneOf(&'static [Answer]),
    /// An HTML page.
    Html,
    /// The content of a file, of any media type.
    File,
    /// Server-sent events.
    Events,
    /// An HTML page for browsers, a JSON object of these fields for programs.
    HtmlOr(&'static [Part]),
    /// 201 with an empty body.
    Created,
    /// 202 with a JSON object of these fields: what was asked for goes on in the background.
    Accepted(&'static [Part]),
    /// One record in its envelope: `{"product": {…}}`.
    One(&'static dyn Envelope),
    /// As `One`, with a secret in the record that no other answer shows.
    OneSecret(&'static dyn Envelope, &'static Field),
    /// A page of a list, with `count`, `offset` and `limit`.
    Page(&'static dyn Envelope),
    /// `{"id", "object", "deleted"}`.
    Deleted,
    /// As `Deleted`, with the parent record.
    DeletedFrom(&'static dyn Envelope),
    /// The records that were created and updated, and the ids of those that were deleted.
    Batch(&'static dyn Envelope),
}

/// A field of an answer that is not a record.
pub enum Part {
    /// A value of this type.
    Value(Field),
    /// A record of a resource, under this name.
    One(&'static str, &'static dyn Envelope),
    /// A list of records of a resource, under this name.
    Many(&'static str, &'static dyn Envelope),
}

impl Part {
    /// A value that every such answer has.
    pub const fn value(name: &'static str, kind: Type, text: &'static str) -> Part {
        Part::Value(required(name, kind).about(text))
    }

    fn envelope(&self) -> Option<&'static dyn Envelope> {
        match self {
            Part::Value(_) => None,
            Part::One(_, it) | Part::Many(_, it) => Some(*it),
        }
    }
}

impl Answer {
    /// The resources whose records it shows.
    pub fn envelopes(self) -> Vec<&'static dyn Envelope> {
        match self {
            Answer::One(it)
            | Answer::OneSecret(it, _)
            | Answer::Page(it)
            | Answer::DeletedFrom(it)
            | Answer::Batch(it) => vec![it],
            Answer::Object(parts) | Answer::HtmlOr(parts) | Answer::Accepted(parts) => {
                parts.iter().filter_map(Part::envelope).collect()
            }
            Answer::OneOf(answers) => answers.iter().flat_map(|it| it.envelopes()).collect(),
            Answer::Html | Answer::File | Answer::Events | Answer::Created | Answer::Deleted => Vec::new(),
        }
    }

    /// The declared answer of a route, or else the default for its method and resource.
    ///
    /// # Panics
    /// When there is neither; in a table of routes that is an error of the compiler.
    pub const fn of(
        declared: Option<Answer>,
        resource: Option<&'static dyn Envelope>,
        method: Method,
        params: &Params,
    ) -> Answer {
        match (declared, resource, method) {
            (Some(answer), ..) => answer,
            (None, None, _) => {
                panic!("a route without a resource declares its answer: `=> handler: Answer::Object(…)`")
            }
            (None, Some(_), Method::Delete) => Answer::Deleted,
            (None, Some(it), Method::Get) if params.limit.is_some() => Answer::Page(it),
            (None, Some(it), _) => Answer::One(it),
        }
    }
}

/// What a route takes as the body of a request.
#[derive(Clone, Copy, Debug)]
pub enum RequestBody {
    /// None: a body that is sent is not read.
    None,
    /// JSON of this schema.
    Json(Body),
    /// Bytes of any content, as they were sent: [`Call::raw`]. For webhooks, whose signature is of the bytes.
    Raw,
    /// A form with files under this name, which the handler reads while they arrive: [`Call::files`].
    Files(&'static str),
}

impl RequestBody {
    /// JSON of this schema, or none.
    pub const fn of(schema: Option<Body>) -> RequestBody {
        match schema {
            Some(schema) => RequestBody::Json(schema),
            None => RequestBody::None,
        }
    }

    /// Does the route take a body?
    pub fn is_some(self) -> bool {
        !matches!(self, RequestBody::None)
    }
}

/// An async function that handles a call.
pub type Handler<A> = fn(Call<A>) -> Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send>>;

/// A row of the route table.
#[derive(Clone)]
pub struct Route<A: App> {
    /// The HTTP method.
    pub method: Method,
    /// The path, with parameters as `:name`.
    pub path: &'static str,
    /// What it does, for OpenAPI: its doc comment. The first sentence is the summary.
    pub text: &'static str,
    /// The required authentication.
    pub auth: Auth,
    /// The query parameters.
    pub params: &'static Params,
    /// What it takes as the body.
    pub body: RequestBody,
    /// The size limit of the body in bytes; the default is
    /// [`BODY_BYTES_MAX`](atoll_values::limits::BODY_BYTES_MAX).
    pub body_bytes_max: Option<usize>,
    /// The shape of the successful answer.
    pub answer: Answer,
    /// The feature flag that enables the route. While it is off, the route answers 404.
    pub flag: Option<&'static str>,
    /// The function that answers.
    pub handler: Handler<A>,
    /// Where it is registered, for messages.
    pub source: Source,
}

/// A place in the source text, for messages at start. Places are ordered by file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The path of the file, as the compiler has it.
    pub file: &'static str,
    /// The line.
    pub line: u32,
    /// The name of the package.
    pub package: &'static str,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}:{}", self.package, self.file, self.line)
    }
}

impl<A: App> Route<A> {
    /// Are its answers remembered? Those that show records or a page of a list, as the graph has them, to
    /// callers with a key or a token.
    pub(crate) fn is_remembered(&self) -> bool {
        self.is_compressed() && matches!(self.answer, Answer::One(_) | Answer::Page(_))
    }

    /// Are its answers compressed?
    pub(crate) fn is_compressed(&self) -> bool {
        self.method == Method::Get && (self.auth.is_admin() || self.auth.is_store())
    }

    /// Is a repeated request with the same `Idempotency-Key` answered from the first one? Not if its body is
    /// raw or a form with files: such a body is not part of what identifies a request.
    pub(crate) fn takes_idempotency_key(&self) -> bool {
        self.method != Method::Get
            && (self.auth.is_admin() || self.auth.is_store())
            && !matches!(self.body, RequestBody::Raw | RequestBody::Files(_))
    }
}

/// An authenticated request with validated parameters and body.
#[derive(Clone)]
pub struct Call<A: App> {
    /// The application.
    pub app: A,
    /// The result of authentication.
    pub pass: A::Pass,
    /// The snapshot for reading: that of authentication, or a newer one if a body had to arrive first. A
    /// handler that waits for something drops it, since a view that is held keeps the store from reusing
    /// space.
    pub view: View,
    /// The validated query string.
    pub params: ListParams,
    /// What middleware leaves for the handler, one value per type.
    pub extensions: Extensions,
    pub(crate) head: Arc<Head>,
    pub(crate) path: HashMap<String, String>,
    pub(crate) body: Value,
    pub(crate) raw: Bytes,
    pub(crate) counters: Arc<RouteCounters>,
    pub(crate) unread: Option<Unread>,
}

impl<A: App> Call<A> {
    /// A parameter of the path.
    pub fn path(&self, name: &str) -> &str {
        self.path.get(name).unwrap_or_else(|| panic!("the route has no parameter `{name}`"))
    }

    /// The values of all parameters of the path, in no order.
    pub fn path_values(&self) -> impl Iterator<Item = &str> {
        self.path.values().map(String::as_str)
    }

    /// The head of the request. An answer of a handler that looks at it is not remembered.
    pub fn head(&self) -> Arc<Head> {
        self.app.lose();
        self.head.clone()
    }

    /// The query context of the caller: the time, and the wall that confines them.
    pub fn context(&self) -> &Context {
        A::context(&self.pass)
    }

    /// Counts what the request reads with this meter until the guard is dropped.
    pub fn count_keys(&self, meter: &Arc<Meter>) -> CountedKeys {
        CountedKeys { counters: self.counters.clone(), meter: meter.clone() }
    }

    /// The validated body; null if the route takes none.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The body of a raw route, as it was sent; empty for other routes.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The files of an upload, of at most `bytes_max` bytes each, once. They arrive while they are read, at
    /// the pace of the client, so nothing of the call that others wait for is held meanwhile: drop its
    /// `view`. Errors: 400 if the body is no form.
    pub fn files(&self, bytes_max: usize) -> Result<Files, Fault> {
        match &self.unread {
            Some(unread) => unread.files(&self.head, bytes_max),
            None => Err(Fault::unexpected("the route takes no files")),
        }
    }

    /// Takes a field out of the body.
    pub fn take_field(&mut self, name: &str) -> Option<Value> {
        self.body.as_object_mut()?.remove(name)
    }

    /// Deserialises the body, once. A number that the schema accepts but `T` does not is the client's error.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        serde_json::from_value(self.body.take())
            .map_err(|error| Fault::invalid(format!("Invalid request: {error}")))
    }
}

/// The `Content-Security-Policy` of HTML pages: inline scripts and styles, and requests to our own origin
/// only.
const PAGE_POLICY: &str =
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

/// The answer of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: StatusCode,
    /// The body: JSON, or HTML.
    pub json: Bytes,
    /// Headers in addition to those of every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Does the body contain a secret that is shown once? Then it is not stored for idempotent retries.
    pub is_secret: bool,
}

impl Reply {
    /// 200 with serialised JSON.
    pub fn raw(json: impl Into<Bytes>) -> Reply {
        Reply { status: StatusCode::OK, json: json.into(), headers: Vec::new(), is_secret: false }
    }

    /// 200 with an HTML page.
    pub fn html(page: impl Into<Bytes>) -> Reply {
        Reply::raw(page)
            .with_header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .with_header(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
            .with_header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .with_header(header::REFERRER_POLICY, "no-referrer")
    }

    /// 200 with this value as JSON.
    pub fn json(value: &Value) -> Reply {
        Reply::raw(value.to_string().into_bytes())
    }

    /// 200 with a JSON object that `write` fills in.
    pub fn object(write: impl FnOnce(&mut JsonObject<'_>) -> Result<(), Fault>) -> Result<Reply, Fault> {
        let mut json = Vec::with_capacity(1024);
        let mut object = JsonObject::new(&mut json);
        write(&mut object)?;
        object.end();
        Ok(Reply::raw(json))
    }

    /// Marks the reply as holding a secret.
    pub fn secret(self) -> Reply {
        Reply { is_secret: true, ..self }
    }

    /// Sets the status.
    pub fn with_status(mut self, status: StatusCode) -> Reply {
        self.status = status;
        self
    }

    /// Adds a header. An invalid header value is dropped.
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Reply {
        self.headers.extend(HeaderValue::from_str(value).map(|it| (name, it)));
        self
    }
}
