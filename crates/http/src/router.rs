//! The axum router of the route table: CORS, concurrency limit, body limits, 404s.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, RawPathParams, Request},
    http::{Extensions, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use atoll_schema::LongNumbers;
use atoll_values::limits::{BODY_BYTES_MAX, STORE_OFFSET_MAX, STORE_PAGE_MAX};

use crate::{
    Answer, AnswerCache, App, Auth, Call, Caller, Disconnect, Fault, FaultKind, Head, IdempotentRequest,
    Method, Reply, RequestBody, Route,
    answer_cache::{Question, Tagged},
    caching,
    compression::{self, Encoding},
    counters::RouteCounters,
    hosts,
    observed::{Observed, observe},
    qs,
    upload::Unread,
};

/// `Retry-After` of requests beyond the concurrency limit, in seconds. Most requests take milliseconds.
const BUSY_RETRY_S: u64 = 1;

/// The media type of answers.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Builds the router for `routes` and `GET /health`.
pub fn router<A: App>(app: A, routes: &[&'static Route<A>]) -> Router {
    let mut router = Router::new().route("/health", axum::routing::get(|| async { "OK" }));
    let mut by_path: BTreeMap<&'static str, Vec<&'static Route<A>>> = BTreeMap::new();
    for route in routes {
        by_path.entry(route.path).or_default().push(route);
    }
    for (path, routes) in by_path {
        let mut methods = axum::routing::MethodRouter::new();
        for route in routes {
            let app = app.clone();
            let counters = app.counters().of(route.path, route.method);
            let filter = match route.method {
                Method::Get => MethodFilter::GET,
                Method::Post => MethodFilter::POST,
                Method::Delete => MethodFilter::DELETE,
            };
            methods = methods.merge(on(filter, move |request: Request| {
                serve(app.clone(), route, counters.clone(), request)
            }));
        }
        let fallback = app.clone();
        methods = methods.fallback(move |request: Request| no_route(fallback.clone(), request));
        let path = axum_path(path);
        // As on the wire, a trailing slash is accepted.
        if path != "/" {
            router = router.route(&format!("{path}/"), methods.clone());
        }
        router = router.route(&path, methods);
    }
    let (cross_origin, fallback) = (cross_origin(app.clone()), app.clone());
    let router = router.fallback(move |request: Request| no_route(fallback.clone(), request));
    // Inside: what the hosts refuse can be read by pages of other origins, too.
    let router = of_hosts(&app, router, error_response).layer(cross_origin).layer(from_fn(preflight));
    observed(app, router)
}

/// Routes that stand beside the route table (files, health), which refuse the same request heads, and are
/// observed as well.
pub fn beside<A: App>(app: A, router: Router) -> Router {
    beside_refusing(app, router, error_response)
}

/// The same for routes that have an answer of their own to who is refused because of the hosts of the shop:
/// pages, which are for people.
pub fn beside_refusing<A: App>(
    app: A,
    router: Router,
    refused: impl Fn(&Fault) -> Response + Clone + Send + Sync + 'static,
) -> Router {
    let router = of_hosts(&app, router, refused);
    observed(app, router)
}

fn observed<A: App>(app: A, router: Router) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| observe(app.clone(), request, next)))
}

/// A host alone has no such step.
fn of_hosts<A: App>(
    app: &A,
    router: Router,
    refused: impl Fn(&Fault) -> Response + Clone + Send + Sync + 'static,
) -> Router {
    if app.hosts().is_none() {
        return router;
    }
    let app = app.clone();
    router.layer(from_fn(move |request: Request, next: Next| {
        hosts::by_hosts(app.clone(), refused.clone(), request, next)
    }))
}

/// The CORS layer. Storefronts and dashboards are served from other origins.
fn cross_origin<A: App>(app: A) -> CorsLayer {
    let exposed = app.hosts().map(|_| [hosts::AFTER, header::RETRY_AFTER]);
    let allows = move |origin: &HeaderValue, head: &Head| {
        origin.to_str().is_ok_and(|it| app.origins().allows(it, head.uri.path()))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allows))
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(true)
        .expose_headers(exposed.into_iter().flatten().collect::<Vec<_>>())
}

/// Middleware: answers CORS preflight requests with 204 instead of 200.
async fn preflight(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == axum::http::Method::OPTIONS;
    let mut response = next.run(request).await;
    if is_preflight && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

/// A path with parameters as `:name`, as axum writes it: `{name}`.
pub fn axum_path(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn serve<A: App>(
    app: A,
    route: &'static Route<A>,
    counters: Arc<RouteCounters>,
    request: Request,
) -> Response {
    let _timed = counters.start();
    let observed = Observed::of(request.extensions());
    let app = if app.hosts().is_some() || observed.trace().is_some() { app.observed(&observed) } else { app };
    let (mut head, body) = request.into_parts();
    let encoding = if route.is_compressed() { Encoding::accepted(&head.headers) } else { Encoding::Identity };
    let asked = app.answers().and_then(|cache| Some((cache, Question::of(route, &head, encoding)?)));
    let kept = asked.as_ref().and_then(|(cache, question)| {
        if app.hosts().is_some() {
            // What is found is as this view has it, or as that which it was made of, if that is a later one.
            app.view();
        }
        cache.find(question, || app.clock())
    });
    let mut response = match kept {
        Some(kept) => {
            observed.acts(kept.answer.asked_by(route.auth));
            observed.reads(kept.answer.position);
            kept.answer.response(head.headers.get_all(header::IF_NONE_MATCH))
        }
        None => {
            let path = match RawPathParams::from_request_parts(&mut head, &()).await {
                Ok(path) => path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                Err(rejection) => return rejection.into_response(),
            };
            let question = asked.map(|(_, question)| question);
            let request = Arrived { head, path, body, counters: counters.clone() };
            // Each request has a task of its own: a disconnect does not cancel it half-way, and a panic
            // becomes a 500.
            let (_client, disconnect) = Disconnect::new();
            match tokio::spawn(encoded(app.clone(), route, encoding, question, request, disconnect)).await {
                Ok(Ok(response)) => response,
                Ok(Err(fault)) => failed(&observed, &fault),
                Err(panic) => failed(&observed, &Fault::unexpected(panic)),
            }
        }
    };
    if let Some(cache) = app.answers() {
        cache.sent(&response);
    }
    caching::set_headers(&mut response, route.auth, route.method);
    response
}

/// A request whose path has been read.
struct Arrived {
    head: Head,
    path: HashMap<String, String>,
    body: Body,
    counters: Arc<RouteCounters>,
}

/// Works out an answer, and compresses and remembers it where that is allowed.
async fn encoded<A: App>(
    app: A,
    route: &'static Route<A>,
    encoding: Encoding,
    question: Option<Question>,
    request: Arrived,
    disconnect: Disconnect,
) -> Result<Response, Fault> {
    let cache = app.answers().filter(|_| question.is_some());
    let (recorded, recorder) = cache.and_then(|_| app.recorded(route)).unzip();
    let known: Vec<_> = request.head.headers.get_all(header::IF_NONE_MATCH).into_iter().cloned().collect();
    let observed = Observed::of(&request.head.extensions);
    let answered = answer(recorded.unwrap_or_else(|| app.clone()), route, request, disconnect).await;
    let is_plain = |it: &Reply| it.status == StatusCode::OK && it.headers.is_empty() && !it.is_secret;
    let (reply, is_personal) = match answered {
        Ok((reply, is_personal)) if is_plain(&reply) && route.is_compressed() => (reply, is_personal),
        other => {
            cache.into_iter().for_each(AnswerCache::leave_out);
            return other.map(|(reply, _)| response_of(reply));
        }
    };
    // Before it is compressed: meanwhile more may change.
    let dependencies = recorder.and_then(|it| it.dependencies());
    let encoding = if compression::is_worth_it(&reply.json) { encoding } else { Encoding::Identity };
    let body = match encoding {
        Encoding::Identity => reply.json.clone(),
        _ => compression::compressed(reply.json.clone(), encoding, question.is_some()).await?,
    };
    let tagged = cache.zip(question).filter(|(cache, _)| !cache.is_too_long(&reply.json));
    let Some((cache, question)) = tagged else {
        cache.into_iter().for_each(AnswerCache::leave_out);
        let mut response = response_of(Reply { json: body, ..reply });
        encoding.say(response.headers_mut());
        return Ok(response);
    };
    let answer = Tagged::new(&reply.json, body, encoding, is_personal, observed.position());
    let response = answer.response(&known);
    cache.keep(question, answer, dependencies);
    Ok(response)
}

/// Works out an answer. Says whether it is for one customer alone.
async fn answer<A: App>(
    app: A,
    route: &'static Route<A>,
    request: Arrived,
    disconnect: Disconnect,
) -> Result<(Reply, bool), Fault> {
    let Arrived { head, path, body, counters } = request;
    let observed = Observed::of(&head.extensions);
    let (pass, view) = app.admit(route.auth, Caller::of::<A>(&head))?;
    observed.acts(A::actor_kind(&pass));
    if matches!(route.answer, Answer::Events) {
        observed.waits();
    }
    let is_personal = A::is_personal(&pass);
    let query = qs::parse(head.uri.query().unwrap_or_default());
    let mut params = atoll_schema::check_query(route.params, &query)?;
    if params.cursor.is_some() && !matches!(route.answer, Answer::Page(_)) {
        return Err(Fault::invalid("Unrecognized fields: 'cursor'"));
    }
    if route.auth.is_store() {
        if params.offset > STORE_OFFSET_MAX {
            return Err(Fault::invalid(format!(
                "`offset` can skip at most {STORE_OFFSET_MAX} records: go on by `cursor`, or narrow the list"
            )));
        }
        params.limit = params.limit.min(STORE_PAGE_MAX);
        params.with_deleted = false;
    }
    let n_bytes_max = route.body_bytes_max.unwrap_or(BODY_BYTES_MAX);
    let mut unread = None;
    let (raw, view) = match route.body {
        RequestBody::None => {
            drop(body);
            (Bytes::new(), view)
        }
        RequestBody::Files(field) => {
            unread = Some(Unread::new(body, n_bytes_max, field));
            (Bytes::new(), view)
        }
        RequestBody::Json(_) | RequestBody::Raw => {
            // A body may take its time: what is held until then keeps space, and is old.
            drop(view);
            (read_body(body, n_bytes_max).await?, app.view())
        }
    };
    let (body, raw) = match route.body {
        RequestBody::None | RequestBody::Files(_) => (Value::Null, Bytes::new()),
        RequestBody::Json(schema) => {
            let (body, long_numbers) = parse_body(&head.headers, &raw)?;
            (atoll_schema::check(schema, body, &long_numbers)?, Bytes::new())
        }
        RequestBody::Raw => (Value::Null, raw),
    };
    // Acquired after the body was read, so that slow clients hold no permit; of uploads few run at a time.
    let Ok(_permit) = app.permits().clone().try_acquire_owned() else {
        let text = "Too many requests are being answered; try again soon";
        return Err(Fault::busy(text, BUSY_RETRY_S).at_limit("requests_max"));
    };
    let key = head.headers.get("idempotency-key").filter(|_| route.takes_idempotency_key());
    let repeat = key.map(|key| IdempotentRequest {
        key: String::from_utf8_lossy(key.as_bytes()).trim().to_owned(),
        fingerprint: format!("{} {}\n{body}", head.method, address(&head)),
    });
    let extensions = Extensions::new();
    let head = head.into();
    let call = Call { app, pass, view, head, params, extensions, path, body, raw, unread, counters };
    Ok((A::handle(route, call, repeat, disconnect).await?, is_personal))
}

/// The path and the query string, without the host that some clients put before them.
fn address(head: &Head) -> &str {
    head.uri.path_and_query().map_or("", |it| it.as_str())
}

/// Reads a body, within its size limit.
async fn read_body(body: Body, n_bytes_max: usize) -> Result<Bytes, Fault> {
    match Limited::new(body, n_bytes_max).collect().await {
        Ok(bytes) => Ok(bytes.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Fault::new(FaultKind::TooLarge, "request entity too large").at_limit("body_bytes_max"))
        }
        Err(error) => Err(Fault::invalid(format!("the request body did not arrive: {error}"))),
    }
}

/// Parses a body. Returns which of its numbers the parser has rounded.
fn parse_body(headers: &axum::http::HeaderMap, bytes: &Bytes) -> Result<(Value, LongNumbers), Fault> {
    if bytes.is_empty() {
        return Ok((Value::Object(Map::new()), LongNumbers::default()));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") {
        let form = Value::Object(qs::parse(&String::from_utf8_lossy(bytes)));
        return Ok((form, LongNumbers::default()));
    }
    if !kind.is_empty() && !kind.contains("json") {
        // The schema of the route refuses it, as it is not an object.
        let text = Value::String(String::from_utf8_lossy(bytes).into_owned());
        return Ok((text, LongNumbers::default()));
    }
    let value =
        serde_json::from_slice(bytes).map_err(|error| Fault::invalid(format!("Invalid JSON: {error}")))?;
    Ok((value, LongNumbers::of(&String::from_utf8_lossy(bytes))))
}

/// The fallback for unknown paths and methods: 404 for authenticated callers; others get the error of the
/// guard, so that they cannot probe for routes.
async fn no_route<A: App>(app: A, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let path = head.uri.path();
    let auth = match path.split('/').nth(1) {
        Some("admin") => Auth::Admin,
        Some("store") => Auth::Store,
        _ => Auth::Public,
    };
    let observed = Observed::of(&head.extensions);
    let fault = match app.admit(auth, Caller::of::<A>(&head)) {
        Err(fault) => fault,
        Ok((pass, _)) => {
            observed.acts(A::actor_kind(&pass));
            Fault::not_found(format!("Cannot {} {path}", head.method))
        }
    };
    let mut response = failed(&observed, &fault);
    caching::set_headers(&mut response, auth, Method::Get);
    response
}

fn response_of(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.json));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers);
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(JSON);
    response
}

fn failed(observed: &Observed, fault: &Fault) -> Response {
    observed.failed(fault);
    error_response(fault)
}

pub(crate) fn error_response(fault: &Fault) -> Response {
    let mut reply = Reply::json(&fault.body()).with_status(fault.status());
    if let Some(seconds) = fault.retry_after_s() {
        reply = reply.with_header(header::RETRY_AFTER, &seconds.to_string());
    }
    response_of(reply)
}
