//! HTTP caching: the headers `Cache-Control` and `Vary` of all answers.
//!
//! Answers that depend on the caller are not stored by anybody, except for those that have an `ETag`: a
//! browser may store them, and asks each time. What is set here varies with the headers that decide what it
//! is, and how it is encoded.

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

use crate::{Auth, CallerHeader, Method};

/// What decides an answer to a storefront: everything that a guard may read.
static STOREFRONT: LazyLock<HeaderValue> = LazyLock::new(|| {
    let names: Vec<_> = CallerHeader::ALL.into_iter().map(CallerHeader::name).chain(["cookie"]).collect();
    HeaderValue::from_str(&names.join(", ")).expect("names of headers")
});

/// Sets the caching headers of an answer to a request of this kind.
pub(crate) fn set_headers(response: &mut Response, auth: Auth, method: Method) {
    let headers = response.headers_mut();
    if auth != Auth::Public || method != Method::Get {
        let no_store = HeaderValue::from_static("private, no-store");
        headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    }
    // The CORS layer adds `Origin` to every answer.
    let depends_on = match auth {
        Auth::Public => return,
        Auth::Identity | Auth::Admin | Auth::User => HeaderValue::from_static("authorization, cookie"),
        Auth::Store | Auth::NewCustomer | Auth::Customer => STOREFRONT.clone(),
    };
    headers.append(header::VARY, depends_on);
    if method == Method::Get {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}
