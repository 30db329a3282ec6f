//! HTTP: routes, calls and answers, the schemas of parameters and bodies, resources, and idempotency keys.

pub use atoll_http::{
    Answer, AnswerCache, AnswerCacheCounts, App, Auth, Bytes, Caller, CallerHeader, Disconnect, Document,
    Envelope, Example, FaultRecord, Files, Forwarded, Head, HeaderMap, HeaderName, HeaderValue, Hosts,
    IdempotentRequest, IncomingFile, Info, IpNet, LedPath, LimitsHit, Method, Observed, OpenSpan, OriginList,
    Origins, OverTls, Part, PeerError, Peers, Proxies, Reply, RequestBody, RequestCounters, RequestDuration,
    RouteSummary, Source, Span, SpanCounts, SpanKind, Spans, StatusCode, Tracer, Uncached, Working,
    axum_path, beside, beside_refusing, caught, cookie, etag_of, header, header_names, is_below, is_expected,
    is_from_own_page, openapi, qs, router,
};
pub use atoll_schema::{
    Body, Field, Filters, Issues, ListParams, Param, ParamKind, Params, Type, check, optional, required,
};

pub use atoll_values::{Trace, with_causes};

pub use crate::config::{BackupConfig, Config, FileConfig};
pub use crate::ctx::{Call, Gate, Login, Parts, Pass, Route, SESSION_COOKIE};
pub use crate::extend::{Extended, RouteExtension};
pub use crate::led::Led;
pub use crate::mailed::{UNSIGNED_TOKEN, Unsigned};
pub use crate::middleware::Middleware;
pub use crate::once::{
    KeyedRequest, ONCE, ONCE_BY_AGE, ONCE_BY_CLIENT, ONCE_BYTES, ONCE_SPACES, verify_answers,
};
pub use crate::read_plan::{Deleted, ReadPlan};
pub use crate::reading::ReadLimits;
pub use crate::resource::Resource;
pub use crate::shop_secret::{SecretError, settle_shop_secret, shop_secret};
pub use crate::signature::{Encoding, check_signature, check_timed_signature, key_for, sign, sign_timed};
pub use crate::token::{digest, random_token};
