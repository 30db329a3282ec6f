//! Routes, errors, query strings and bodies over axum. Knows nothing of commerce.

mod fault;
mod openapi;
pub mod qs;
mod route;
mod router;

pub use axum::http::{HeaderMap, HeaderValue, StatusCode};
pub use fault::{Fault, FaultKind, FaultRecord};
pub use openapi::openapi;
pub use route::{App, Auth, Call, Handler, Head, Method, Repeat, Reply, Route};
pub use router::{BODY_BYTES_MAX, STORE_LIMIT_MAX, router};
