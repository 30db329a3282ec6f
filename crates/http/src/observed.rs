//! What is seen of each request from outside: its id, its line in the log, and its duration for metrics.
//!
//! The log has a line for each request that failed (5xx, a panic) or was slow, and at the level `debug` for
//! each other one: by the filter `info,atoll::requests=debug` alone. It holds the route and never the path,
//! no parameter, header or body: so it holds no secret.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use atoll_storage::Position;
use atoll_values::Trace;
use axum::{
    extract::{MatchedPath, Request},
    http::{Extensions, HeaderMap, HeaderValue, StatusCode},
    middleware::Next,
    response::Response,
};

use crate::{
    App, Fault, OpenSpan, SpanKind, Tracer, caught,
    durations::{UNMATCHED, known_method, path_of},
    head::{check, request_id},
    router::error_response,
};

/// The time from which on a request counts as slow. Reads that take long are cut after thirty.
const SLOW: Duration = Duration::from_secs(1);

/// The target of the lines, for filters of the log.
const TARGET: &str = "atoll::requests";

/// What those who answer a request tell of it: for its line in the log, and for the hosts of the shop. It is
/// among the extensions of the request, and of those that a page makes for it in the same process.
#[derive(Clone, Debug, Default)]
pub struct Observed(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    actor: OnceLock<&'static str>,
    failure: OnceLock<(StatusCode, String)>,
    limit: OnceLock<&'static str>,
    waits: AtomicBool,
    trace: OnceLock<Trace>,
    /// Has it come to the hosts of the shop? What comes then is a part of it.
    has_come_in: AtomicBool,
    /// Has another host forwarded it?
    is_forwarded: AtomicBool,
    /// The last commit that was read.
    position: AtomicU64,
    has_committed: AtomicBool,
}

impl Observed {
    /// Of the request with these extensions; of no other, where none is observed.
    pub(crate) fn of(extensions: &Extensions) -> Observed {
        extensions.get::<Observed>().cloned().unwrap_or_default()
    }

    /// The kind of caller: `admin`, `customer`, `storefront`, `none`.
    pub(crate) fn acts(&self, kind: &'static str) {
        let _ = self.0.actor.set(kind);
    }

    /// The request is answered with this fault.
    pub(crate) fn failed(&self, fault: &Fault) {
        if let Some(limit) = fault.limit() {
            let _ = self.0.limit.set(limit);
        }
        if fault.status().is_server_error() {
            let causes = fault.causes();
            let separator = if causes.is_empty() { "" } else { " " };
            let _ = self.0.failure.set((fault.status(), format!("{fault}{separator}{causes}")));
        }
    }

    /// The request is answered from this commit, too.
    pub fn reads(&self, position: Position) {
        self.0.position.fetch_max(position.0, Ordering::Relaxed);
    }

    /// The last commit that the request is answered from.
    pub(crate) fn position(&self) -> Position {
        Position(self.0.position.load(Ordering::Relaxed))
    }

    /// The request has committed something, or may have: no later fault of it says that nothing happened.
    pub fn commits(&self) {
        self.0.has_committed.store(true, Ordering::Relaxed);
    }

    /// Has it?
    pub fn has_committed(&self) -> bool {
        self.0.has_committed.load(Ordering::Relaxed)
    }

    /// The request, or a part of it, comes to the hosts of the shop. Returns whether it is the whole one.
    pub(crate) fn comes_in(&self) -> bool {
        !self.0.has_come_in.swap(true, Ordering::Relaxed)
    }

    /// Another host has forwarded the request to this one.
    pub(crate) fn forwarded(&self) {
        self.0.is_forwarded.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_forwarded(&self) -> bool {
        self.0.is_forwarded.load(Ordering::Relaxed)
    }

    /// The span of the request, if it is recorded.
    pub fn trace(&self) -> Option<Trace> {
        self.0.trace.get().copied()
    }

    /// The request waits for events: it is not slow.
    pub(crate) fn waits(&self) {
        self.0.waits.store(true, Ordering::Relaxed);
    }
}

/// Middleware: refuses requests with an ambiguous head, lets the others be answered, and observes all of
/// them. A request that a page makes in the name of one that is observed already belongs to that.
pub(crate) async fn observe<A: App>(app: A, mut request: Request, next: Next) -> Response {
    if let Some(observed) = request.extensions().get::<Observed>() {
        let whole = observed.clone();
        return answer(&whole, |_| {}, request, next).await;
    }
    let begun = Instant::now();
    let observed = Observed::default();
    request.extensions_mut().insert(observed.clone());
    let asked = Asked {
        request_id: request_id(request.headers()),
        method: request.method().clone(),
        matched: request.extensions().get::<MatchedPath>().cloned(),
        parent: request.headers().get("traceparent").and_then(|it| it.to_str().ok()?.parse().ok()),
    };
    let mut span = app.tracer().and_then(|it| asked.span(it));
    if let Some(span) = &span {
        let _ = observed.0.trace.set(span.trace());
    }
    let tell = |headers: &mut HeaderMap| {
        if app.hosts().is_some() {
            asked.tell(headers, span.as_ref().map(OpenSpan::trace));
        }
    };
    let mut response = answer(&observed, tell, request, next).await;
    if let Ok(value) = HeaderValue::from_str(&asked.request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let took = begun.elapsed();
    let counters = app.counters();
    if let Some(durations) = counters.durations() {
        durations.count(asked.template(), asked.method.as_str(), response.status().as_u16(), took);
    }
    if let Some(limit) = observed.0.limit.get() {
        counters.limits_hit().hit(limit);
    }
    let trace_id = span.as_ref().map(OpenSpan::trace).or(asked.parent).map(|it| it.trace_id);
    asked.log(&observed.0, response.status(), trace_id, took);
    if let Some(span) = &mut span {
        let status = response.status();
        let span = span.edit();
        span.attributes.push(("http.response.status_code", status.as_u16().into()));
        span.attributes.push(("atoll.actor", observed.0.actor.get().copied().unwrap_or("none").into()));
        if status.is_server_error() {
            span.attributes.push(("error.type", status.as_str().into()));
            span.is_error = true;
        }
    }
    response
}

/// Lets a request be answered; a panic is a 500. `tell` adds to its head when that was checked.
async fn answer(
    observed: &Observed,
    tell: impl FnOnce(&mut HeaderMap),
    request: Request,
    next: Next,
) -> Response {
    let (mut head, body) = request.into_parts();
    let answered = match check(&head) {
        Ok(()) => {
            tell(&mut head.headers);
            caught(next.run(Request::from_parts(head, body))).await
        }
        Err(fault) => Err(fault),
    };
    answered.unwrap_or_else(|fault| {
        observed.failed(&fault);
        error_response(&fault)
    })
}

/// What the head of a request says of it.
struct Asked {
    request_id: Arc<str>,
    method: axum::http::Method,
    matched: Option<MatchedPath>,
    /// The span that the request belongs to, as its head says.
    parent: Option<Trace>,
}

impl Asked {
    /// The path of the route as axum writes it, without the slash that may follow it.
    fn template(&self) -> &str {
        match self.matched.as_ref().map(MatchedPath::as_str) {
            None => UNMATCHED,
            Some("/") => "/",
            Some(path) => path.trim_end_matches('/'),
        }
    }

    /// Tells the host that the request is forwarded to by what it is known here: its id, and its span.
    fn tell(&self, headers: &mut HeaderMap, span: Option<Trace>) {
        let told = [
            ("x-request-id", Some(self.request_id.to_string())),
            ("traceparent", span.map(|it| it.to_string())),
        ];
        for (name, value) in told {
            if let Some(value) = value.and_then(|it| HeaderValue::try_from(it).ok()) {
                headers.insert(name, value);
            }
        }
    }

    /// The span of the request: a part of that of its head, or the first one of a trace. None if it is a part
    /// of a trace that is not recorded.
    fn span(&self, tracer: &Tracer) -> Option<OpenSpan> {
        let (route, method) = (path_of(self.template()), known_method(self.method.as_str()));
        let name = match self.matched {
            Some(_) => format!("{method} {route}"),
            None => method.to_owned(),
        };
        let mut span = match self.parent {
            Some(parent) => tracer.child(parent, name, SpanKind::Server)?,
            None => tracer.root(name, SpanKind::Server),
        };
        let attributes = &mut span.edit().attributes;
        attributes.push(("http.request.method", method.into()));
        if self.matched.is_some() {
            attributes.push(("http.route", route.into()));
        }
        Some(span)
    }

    fn log(&self, told: &Told, status: StatusCode, trace_id: Option<u128>, took: Duration) {
        macro_rules! line {
            ($level:ident $(, $cause:ident)?) => {
                tracing::$level!(
                    target: TARGET, method = %self.method, route = path_of(self.template()),
                    status = status.as_u16(), request_id = %self.request_id,
                    actor = told.actor.get().copied().unwrap_or("none"), trace_id = trace_id.map(|it| format!("{it:032x}")),
                    elapsed_us = took.as_micros() as u64, $($cause,)? "request"
                )
            };
        }
        let failed = told.failure.get();
        let cause = failed.map(|(_, why)| why.as_str());
        match failed.map_or(status, |(status, _)| *status) {
            // Nothing was done, because there is too much to do, or no room.
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE => line!(warn, cause),
            status if status.is_server_error() => line!(error, cause),
            _ if took >= SLOW && !told.waits.load(Ordering::Relaxed) => line!(info),
            _ => line!(debug),
        }
    }
}
