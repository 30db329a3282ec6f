//! Forwarding of a request to the host that leads: its head without what belongs to one connection
//! (hop-by-hop headers), its body as it arrives, and the answer.

use std::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
};

use atoll_values::{Timestamp, limits::FORWARDED_READ_TIMEOUT};
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Version, header},
    response::Response,
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Sleep, sleep},
};

use super::mark::{FORWARDED, address, mark};
use crate::head::request_id;

/// The header `Host` of a request that has none.
const NO_HOST: HeaderValue = HeaderValue::from_static("-");

/// Headers that are about one connection, and not about the request. What a client names in `Connection`
/// besides goes on, since the hosts of a shop are one server: nobody takes away by it what a proxy said of
/// them (`x-forwarded-for`), by which logins are limited.
const HOP_BY_HOP: [&str; 10] = [
    "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
    "te", "trailer", "transfer-encoding", "upgrade",
];

/// The request as the host that leads gets it, and whether its client has broken its body off, which ends
/// when that has been sent.
pub(super) fn forwarded(key: &[u8], now: Timestamp, request: Request) -> (Request, watch::Receiver<bool>) {
    let (mut head, body) = request.into_parts();
    // HTTP/2 has the host in its address, and may send a cookie in parts; HTTP/1.0 may have no host at all.
    if !head.headers.contains_key(header::HOST) {
        let host = head.uri.authority().and_then(|it| HeaderValue::try_from(it.as_str()).ok());
        head.headers.insert(header::HOST, host.unwrap_or(NO_HOST));
    }
    // A request that a page makes may have no id.
    if let Ok(id) = HeaderValue::try_from(&*request_id(&head.headers)) {
        head.headers.insert("x-request-id", id);
    }
    join_cookies(&mut head.headers);
    remove_hop_by_hop(&mut head.headers);
    if let Some(mark) = mark(key, now, &head) {
        head.headers.insert(FORWARDED, mark);
    }
    head.uri = address(&head.uri).parse().unwrap_or_default();
    head.version = Version::HTTP_11;
    // What this host knows of the client goes no other way than by the mark.
    head.extensions.clear();
    // It is dropped with the body, when that has been sent.
    let (breaks_off, is_broken_off) = watch::channel(false);
    let body = body.map_err(move |error| {
        breaks_off.send_replace(true);
        error
    });
    (Request::from_parts(head, Body::new(body)), is_broken_off)
}

/// The answer as the client gets it. It breaks off when the host that leads goes silent, and its connection
/// is in use to its end.
pub(super) fn answered(mut response: Response, at_leader: OwnedSemaphorePermit) -> Response {
    remove_hop_by_hop(response.headers_mut());
    response.extensions_mut().clear();
    *response.version_mut() = Version::HTTP_11;
    response.map(|body| Body::new(Receiving { body, silence: None, _at_leader: at_leader }))
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(header::COOKIE).into_iter().map(HeaderValue::as_bytes).collect();
    if lines.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}

/// A body whose next part comes within [`FORWARDED_READ_TIMEOUT`].
struct Receiving {
    body: Body,
    /// Since its client waits for the next part.
    silence: Option<Pin<Box<Sleep>>>,
    _at_leader: OwnedSemaphorePermit,
}

impl http_body::Body for Receiving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.silence = None;
            return frame;
        }
        let silence = self.silence.get_or_insert_with(|| Box::pin(sleep(FORWARDED_READ_TIMEOUT)));
        let is_over = silence.as_mut().poll(context);
        is_over.map(|()| Some(Err(axum::Error::new("the host that leads has gone silent"))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc, time::Duration};

    use atoll_values::limits::CLOCKS_APART_MAX;
    use axum::{extract::ConnectInfo, http::HeaderName};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{OverTls, hosts::mark::unmark};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    const KEY: &[u8] = b"a key of the shop";

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method("POST").version(Version::HTTP_2);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request =
            request.uri("https://shop.example/store/carts?a=b").body(Body::empty()).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([203, 0, 113, 7], 4711))));
        request.extensions_mut().insert(OverTls);
        request
    }

    fn permit() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).try_acquire_owned().expect("there is one")
    }

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
        headers.get_all(name).iter().filter_map(|it| it.to_str().ok()).collect()
    }

    #[tokio::test]
    async fn hop_by_hop_headers_stay_here_and_all_others_go_on() {
        let (sent, _) = forwarded(
            KEY,
            NOW,
            request(&[
                ("connection", "close, x-forwarded-for, cookie"),
                ("te", "trailers"),
                ("upgrade", "h2c"),
                ("transfer-encoding", "chunked"),
                ("expect", "100-continue"),
                ("cookie", "a=1"),
                ("cookie", "b=2"),
                ("authorization", "Bearer t"),
                ("x-forwarded-for", "198.51.100.1"),
            ]),
        );
        for name in ["connection", "te", "upgrade", "transfer-encoding", "expect"] {
            assert!(!sent.headers().contains_key(name), "{name}");
        }
        let expected = [
            ("host", "shop.example"),
            ("cookie", "a=1; b=2"),
            ("authorization", "Bearer t"),
            ("x-forwarded-for", "198.51.100.1"),
        ];
        for (name, value) in expected {
            assert_eq!(text(sent.headers(), name), [value]);
        }
        assert_eq!((sent.uri().to_string().as_str(), sent.version()), ("/store/carts?a=b", Version::HTTP_11));
        let mut answer = Response::new(Body::empty());
        answer.headers_mut().insert("keep-alive", HeaderValue::from_static("timeout=5"));
        answer.headers_mut().insert("etag", HeaderValue::from_static("\"a\""));
        let names: Vec<HeaderName> = answered(answer, permit()).headers().keys().cloned().collect();
        assert_eq!(names, ["etag"]);
    }

    /// By HTTP/1.0 a request may come without a host.
    #[tokio::test]
    async fn request_without_a_host_has_one_that_is_signed() {
        let (mut arrived, _) =
            forwarded(KEY, NOW, Request::post("/a").body(Body::empty()).expect("a request"));
        assert_eq!(text(arrived.headers(), "host"), ["-"]);
        assert!(unmark(KEY, NOW, &mut arrived).expect("it is of a host"));
    }

    #[tokio::test(start_paused = true)]
    async fn answer_breaks_off_when_the_host_goes_silent() {
        struct Silent(bool);
        impl http_body::Body for Silent {
            type Data = Bytes;
            type Error = axum::Error;
            fn poll_frame(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
                if std::mem::take(&mut self.0) {
                    Poll::Ready(Some(Ok(Frame::data("a".into()))))
                } else {
                    Poll::Pending
                }
            }
        }
        let mut body = answered(Response::new(Body::new(Silent(true))), permit()).into_body();
        let first = body.frame().await.expect("a part").expect("it came").into_data();
        assert_eq!(first.expect("data"), "a");
        let rest = tokio::time::timeout(FORWARDED_READ_TIMEOUT + Duration::from_secs(1), body.frame()).await;
        assert!(rest.expect("it ends").expect("a part").is_err());
    }

    #[tokio::test]
    async fn connection_is_in_use_until_its_answer_was_read() {
        let permits = Arc::new(Semaphore::new(1));
        let permit = permits.clone().try_acquire_owned().expect("there is one");
        let answer = answered(Response::new(Body::from("a")), permit);
        assert_eq!(permits.available_permits(), 0);
        answer.into_body().collect().await.expect("it comes");
        assert_eq!(permits.available_permits(), 1);
    }

    #[tokio::test]
    async fn host_that_leads_takes_the_client_for_the_sender() {
        let (sent, _) = forwarded(KEY, NOW, request(&[("x-request-id", "one")]));
        let arrived = |change: &dyn Fn(&mut Request), key: &[u8]| {
            let mut arrived = Request::new(Body::empty());
            *arrived.method_mut() = sent.method().clone();
            *arrived.uri_mut() = sent.uri().clone();
            *arrived.headers_mut() = sent.headers().clone();
            arrived.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 2], 1))));
            change(&mut arrived);
            unmark(key, NOW, &mut arrived).map(|is_marked| (is_marked, arrived))
        };
        let (is_marked, taken) = arrived(&|_| {}, KEY).expect("it is of a host");
        let peer = taken.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.to_string());
        assert_eq!((is_marked, peer.as_deref()), (true, Some("203.0.113.7:4711")));
        assert!(taken.extensions().get::<OverTls>().is_some() && !taken.headers().contains_key(FORWARDED));
        // It is good for this request alone, for a moment, and by the key of the shop.
        let id = HeaderValue::from_static("two");
        assert!(arrived(&|it| drop(it.headers_mut().insert("x-request-id", id.clone())), KEY).is_err());
        assert!(arrived(&|_| {}, b"another key").is_err());
        assert!(arrived(&|it| *it.uri_mut() = "/store/carts".parse().expect("a path"), KEY).is_err());
        assert!(arrived(&|it| *it.method_mut() = axum::http::Method::DELETE, KEY).is_err());
        let host = HeaderValue::from_static("other.example");
        assert!(arrived(&|it| drop(it.headers_mut().insert("host", host.clone())), KEY).is_err());
        let now = NOW.millis();
        for (said, forged) in
            [("203", "198"), ("https", "http"), (&*now.to_string(), &*(now + 1).to_string())]
        {
            let mark = text(sent.headers(), FORWARDED)[0].replacen(said, forged, 1);
            let mark = HeaderValue::try_from(mark).expect("a header");
            assert!(arrived(&|it| drop(it.headers_mut().insert(FORWARDED, mark.clone())), KEY).is_err());
        }
        let later = |ms: i64| {
            let (mut again, _) = forwarded(KEY, NOW, request(&[]));
            unmark(KEY, NOW.plus_millis(ms), &mut again)
        };
        let apart = CLOCKS_APART_MAX.as_millis() as i64;
        assert!(later(apart).is_ok() && later(-apart).is_ok());
        for ms in [apart + 1, -apart - 1] {
            assert_eq!(later(ms).expect_err("it is too old").status().as_u16(), 503);
        }
        let (is_marked, _) =
            arrived(&|it| drop(it.headers_mut().remove(FORWARDED)), KEY).expect("it is of a client");
        assert!(!is_marked);
    }
}
