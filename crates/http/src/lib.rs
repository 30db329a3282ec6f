//! HTTP over axum: routes, errors, query strings, bodies, CORS, proxies and OpenAPI. Knows nothing of
//! commerce.

mod answer_cache;
mod answers;
mod bodies;
mod caching;
mod caller;
mod caught;
mod compression;
mod counters;
mod document;
mod durations;
mod fault;
mod head;
mod hosts;
mod observed;
mod openapi;
mod origins;
mod parameters;
mod proxies;
pub mod qs;
mod route;
mod router;
mod samples;
mod span;
mod text;
mod upload;

pub use answer_cache::{AnswerCache, AnswerCacheCounts, Uncached, etag_of, is_expected};
pub use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header as header_names};
pub use bytes::Bytes;
pub use caller::{Caller, CallerHeader};
pub use caught::caught;
pub use counters::{CountedKeys, LimitsHit, RequestCounters, RouteSummary};
pub use document::Document;
pub use durations::{RequestDuration, RequestDurations};
pub use fault::{Fault, FaultKind, FaultRecord};
pub use hosts::{Forwarded, Hosts, LedPath, PeerError, Peers, Working, is_below};
pub use ipnet::IpNet;
pub use observed::Observed;
pub use openapi::{Example, Info, openapi};
pub use origins::{OriginList, Origins, cookie, header, is_from_own_page};
pub use proxies::{OverTls, Proxies};
pub use route::{
    Answer, App, Auth, Call, Disconnect, Envelope, Handler, Head, IdempotentRequest, Method, Part, Reply,
    RequestBody, Route, Source,
};
pub use router::{axum_path, beside, beside_refusing, router};
pub use span::{OpenSpan, Span, SpanCounts, SpanKind, Spans, Tracer};
pub use upload::{Files, IncomingFile};
