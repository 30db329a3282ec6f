//! What is seen of each request from outside: its id, its line in the log, and its duration for metrics.
//!
//! The log has a line for each request that failed (5xx, a panic) or was slow, and at the level `debug` for
//! each other one: by the filter `info,atoll::requests=debug` alone. It holds the route and never the path,
//! no parameter, header or body: so it holds no secret.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Extensions, HeaderValue, StatusCode},
    middleware::Next,
    response::Response,
};

use crate::{
    App, Fault, caught,
    durations::{UNMATCHED, path_of},
    head::{check, request_id},
    router::error_response,
};

/// The time from which on a request counts as slow. Reads that take long are cut after thirty.
const SLOW: Duration = Duration::from_secs(1);

/// The target of the lines, for filters of the log.
const TARGET: &str = "atoll::requests";

/// What those who answer a request tell of it for its line in the log. It is among the extensions of the
/// request, and of those that a page makes for it in the same process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    actor: OnceLock<&'static str>,
    failure: OnceLock<(StatusCode, String)>,
    limit: OnceLock<&'static str>,
    waits: OnceLock<()>,
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

    /// The request waits for events: it is not slow.
    pub(crate) fn waits(&self) {
        let _ = self.0.waits.set(());
    }
}

/// Middleware: refuses requests with an ambiguous head, lets the others be answered, and observes all of
/// them. A request that a page makes in the name of one that is observed already belongs to that.
pub(crate) async fn observe<A: App>(app: A, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<Observed>().is_some() {
        return answer(&Observed::default(), request, next).await;
    }
    let begun = Instant::now();
    let observed = Observed::default();
    request.extensions_mut().insert(observed.clone());
    let seen = Seen {
        request_id: request_id(request.headers()),
        method: request.method().clone(),
        matched: request.extensions().get::<MatchedPath>().cloned(),
        trace_parent: request.headers().get("traceparent").cloned(),
    };
    let mut response = answer(&observed, request, next).await;
    if let Ok(value) = HeaderValue::from_str(&seen.request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let took = begun.elapsed();
    let counters = app.counters();
    if let Some(durations) = counters.durations() {
        durations.count(seen.template(), seen.method.as_str(), response.status().as_u16(), took);
    }
    if let Some(limit) = observed.0.limit.get() {
        counters.limits_hit().hit(limit);
    }
    seen.log(&observed.0, response.status(), took);
    response
}

/// Lets a request be answered; a panic is a 500.
async fn answer(observed: &Observed, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let refused = |fault: Fault| {
        observed.failed(&fault);
        error_response(&fault)
    };
    if let Err(fault) = check(&head) {
        return refused(fault);
    }
    caught(next.run(Request::from_parts(head, body))).await.unwrap_or_else(refused)
}

/// What the head of a request says of it.
struct Seen {
    request_id: Arc<str>,
    method: axum::http::Method,
    matched: Option<MatchedPath>,
    trace_parent: Option<HeaderValue>,
}

impl Seen {
    /// The path of the route as axum writes it, without the slash that may follow it.
    fn template(&self) -> &str {
        match self.matched.as_ref().map(MatchedPath::as_str) {
            None => UNMATCHED,
            Some("/") => "/",
            Some(path) => path.trim_end_matches('/'),
        }
    }

    fn log(&self, told: &Told, status: StatusCode, took: Duration) {
        macro_rules! line {
            ($level:ident $(, $cause:ident)?) => {
                tracing::$level!(
                    target: TARGET, method = %self.method, route = path_of(self.template()),
                    status = status.as_u16(), request_id = %self.request_id,
                    actor = told.actor.get().copied().unwrap_or("none"), trace_id = self.trace_parent.as_ref().and_then(trace_id),
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
            _ if took >= SLOW && told.waits.get().is_none() => line!(info),
            _ => line!(debug),
        }
    }
}

/// The trace id of a `traceparent` (W3C Trace Context): 32 hexadecimal digits, not all of them zero.
fn trace_id(header: &HeaderValue) -> Option<&str> {
    let mut parts = header.to_str().ok()?.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |it: &str, n_digits: usize| {
        it.len() == n_digits && it.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_valid = is_hex(version, 2) && version != "ff" && is_hex(parent, 16) && is_hex(flags, 2);
    let is_whole = version != "00" || parts.next().is_none();
    let is_known = is_hex(trace, 32) && trace.bytes().any(|it| it != b'0');
    (is_valid && is_whole && is_known).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_id_is_that_of_a_valid_traceparent() {
        let check = |header: &'static str, expected: Option<&str>| {
            assert_eq!(trace_id(&HeaderValue::from_static(header)), expected, "{header}");
        };
        let trace = Some("4bf92f3577b34da6a3ce929d0e0e4736");
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", trace);
        check("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like", trace);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", None);
        check("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", None);
        check("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None);
        check("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None);
        check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", None);
        check("status=200 forged", None);
    }
}
