//! HTTP caching: the headers `Cache-Control` and `Vary` of all answers.
//!
//! Answers that depend on the caller are not cacheable. A cacheable answer sets its own `Cache-Control`, and
//! still varies with the headers that it depends on.

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
        Auth::Store | Auth::NewCustomer | Auth::Customer => "x-publishable-api-key, authorization, cookie",
    };
    headers.append(header::VARY, HeaderValue::from_static(depends_on));
}
