//! HTTP caching: what browsers and proxies may keep of an answer. It is decided here, for all of them.
//!
//! Whatever depends on who asks is kept by nobody. An answer that may be kept says so itself, with a `Cache-Control` of
//! its own, and still varies with what it depends on.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

use crate::{Auth, Method};

/// Says what may be kept of the answer to a request of this kind.
pub(crate) fn set_headers(response: &mut Response, auth: Auth, method: Method) {
    let headers = response.headers_mut();
    if auth != Auth::Public || method != Method::Get {
        let no_store = HeaderValue::from_static("private, no-store");
        headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    }
    // Beside the `Origin` of cross-origin requests, which is added for all.
    let depends_on = match auth {
        Auth::Public => return,
        Auth::Identity | Auth::Admin | Auth::User => "authorization, cookie",
        Auth::Store | Auth::NewCustomer | Auth::Customer => "x-publishable-api-key, authorization, cookie",
    };
    headers.append(header::VARY, HeaderValue::from_static(depends_on));
}
