//! Routes, errors, query strings and bodies over axum. Knows nothing of commerce.

mod answers;
mod fault;
mod openapi;
mod origins;
pub mod qs;
mod route;
mod router;

pub use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header as header_names};
pub use fault::{Fault, FaultKind, FaultRecord};
pub use openapi::openapi;
pub use origins::{OriginList, Origins, cookie, header, is_secure, peer};
pub use route::{Answer, App, Auth, Call, Gone, Handler, Head, Method, Repeat, Reply, Route, Shows};
pub use router::router;
