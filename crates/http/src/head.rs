//! Checks of the head of a request (request smuggling, NUL, encoding), and the request id.
//!
//! Headers that authenticate a request or control its meaning must not be repeated: two programs in a row may
//! each take another one, which is how requests bypass the checks of the first.

use std::sync::Arc;

use axum::http::{HeaderMap, Version, header};
use percent_encoding::percent_decode_str;

use crate::{CallerHeader, Fault, Head};

/// Headers that must not be repeated, with those of which a guard reads one.
const SINGLE: [&str; 5] = ["host", "idempotency-key", "content-type", "origin", "x-request-id"];

/// Maximum length of a request id that a client sends, in bytes. It is part of every log line.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Refuses an ambiguous or malformed head with 400.
pub(crate) fn check(head: &Head) -> Result<(), Fault> {
    for name in SINGLE.into_iter().chain(CallerHeader::ALL.map(CallerHeader::name)) {
        if head.headers.get_all(name).iter().nth(1).is_some() {
            return Err(Fault::invalid(format!("The header {name} was sent more than once")));
        }
    }
    let host = head.headers.get(header::HOST);
    match (host, head.uri.authority()) {
        (None, _) if head.version >= Version::HTTP_11 => {
            return Err(Fault::invalid("The header host is missing"));
        }
        (Some(host), Some(target)) if !host.as_bytes().eq_ignore_ascii_case(target.as_str().as_bytes()) => {
            return Err(Fault::invalid("The header host and the address of the request differ"));
        }
        _ => {}
    }
    let path = percent_decode_str(head.uri.path()).decode_utf8();
    let path = path.map_err(|_| Fault::invalid("The path is not UTF-8"))?;
    // In a query string, `%` without an escape stands for itself: people search for `%descri%`.
    let holds_nul = |text: &str| percent_decode_str(text).any(|byte| byte == 0);
    if path.contains('\0') || head.uri.query().is_some_and(holds_nul) {
        return Err(Fault::invalid("The address holds a NUL"));
    }
    Ok(())
}

/// The client's `X-Request-Id` if it is one, or else a new id. No character of it ends a field of the log.
pub(crate) fn request_id(headers: &HeaderMap) -> Arc<str> {
    let is_of_id = |it: u8| it.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&it);
    let sent = headers.get("x-request-id").and_then(|it| it.to_str().ok());
    let sent = sent.filter(|it| (1..=REQUEST_ID_BYTES_MAX).contains(&it.len()) && it.bytes().all(is_of_id));
    sent.map_or_else(|| uuid::Uuid::now_v7().to_string().into(), Into::into)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue, Request};

    use super::*;

    #[test]
    fn request_id_of_the_client_is_kept_if_it_is_one() {
        let id = |sent: &str| {
            let name = HeaderName::from_static("x-request-id");
            request_id(&HeaderMap::from_iter([(name, HeaderValue::from_str(sent).expect("a header"))]))
        };
        for sent in ["a", "01JD-x_y.z:1/2+3=@~", &"a".repeat(REQUEST_ID_BYTES_MAX)] {
            assert_eq!(&*id(sent), sent);
        }
        for sent in ["", "a b", "a status=200", "\"a\"", "a\\n", &"a".repeat(REQUEST_ID_BYTES_MAX + 1)] {
            assert!(uuid::Uuid::parse_str(&id(sent)).is_ok(), "{sent}");
        }
    }

    #[track_caller]
    fn check_head(target: &str, headers: &[(&str, &str)], expected: &str) {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let found = check(&head).err().map(|it| it.to_string()).unwrap_or_default();
        assert_eq!(found, expected, "{target} {headers:?}");
    }

    #[test]
    fn ambiguous_request_heads_are_refused() {
        const HOST: (&str, &str) = ("host", "a");
        check_head("/", &[HOST], "");
        check_head("/", &[], "The header host is missing");
        check_head("/", &[HOST, ("Host", "b")], "The header host was sent more than once");
        check_head("http://a/", &[HOST], "");
        // Host names are case-insensitive.
        check_head("http://Shop.Example:9000/", &[("host", "shop.example:9000")], "");
        check_head("http://shop.example/", &[("host", "SHOP.example")], "");
        check_head("http://b/", &[HOST], "The header host and the address of the request differ");
        for name in ["authorization", "X-Publishable-Api-Key", "idempotency-key"] {
            let text = format!("The header {} was sent more than once", name.to_lowercase());
            check_head("/", &[HOST, (name, "a"), (name, "a")], &text);
        }
        check_head("/", &[HOST, ("accept", "a"), ("accept", "b")], "");
    }

    #[test]
    fn nul_and_invalid_utf8_in_addresses_are_refused() {
        let host = [("host", "a")];
        check_head("/a%20b?q=%C3%A4", &host, "");
        check_head("/a?q=%descri%", &host, "");
        check_head("/a%00", &host, "The address holds a NUL");
        check_head("/%ff", &host, "The path is not UTF-8");
        check_head("/?q=%00", &host, "The address holds a NUL");
    }
}
