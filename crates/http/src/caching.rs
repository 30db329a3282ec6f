//! HTTP caching: the headers `Cache-Control` and `Vary` of all answers.
//!
//! Answers that depend on the caller are not stored by anybody, except for those that have an `ETag`: a
//! browser may store them, and asks each time. What is set here varies with the headers that decide what it
//! is, and how it is encoded.

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

use crate::{Auth, Method};

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
        Auth::Identity | Auth::Admin | Auth::User => "authorization, cookie",
        Auth::Store | Auth::NewCustomer | Auth::Customer => {
            "x-publishable-api-key, authorization, cookie, x-atoll-preview-at"
        }
    };
    headers.append(header::VARY, HeaderValue::from_static(depends_on));
    if method == Method::Get {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}
