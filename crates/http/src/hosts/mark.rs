//! The header by which a host marks a request that it forwards, so that the one that leads knows from whom it
//! came. It is signed with a key of the shop: a client that sends one is refused.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicI64, Ordering},
};

use atoll_values::{Timestamp, hex, limits::CLOCKS_APART_MAX};
use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderValue, Uri, header},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{Fault, Head, OverTls};

/// Its name. The value has the address of the client as the host saw it, its scheme, the time in
/// milliseconds, and a signature: `203.0.113.7:4711;https;1700000000000;5f3c…`.
pub(super) const FORWARDED: &str = "atoll-forwarded";

/// Stands for an address that is not known.
const NONE: &str = "-";

/// Between two lines of the log about marks that were refused, in milliseconds: anybody can send them.
const PAUSE_MS: i64 = 60_000;

/// The mark of a request with this head.
pub(super) fn mark(key: &[u8], now: Timestamp, head: &Head) -> Option<HeaderValue> {
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or_else(|| NONE.to_owned(), |it| it.0.to_string());
    let scheme = if head.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
    let said = format!("{peer};{scheme};{}", now.millis());
    let signature = hex(&signed(key, head, &said).finalize().into_bytes());
    HeaderValue::try_from(format!("{said};{signature}")).ok()
}

/// Takes the mark from a request, and the client for its sender. Returns whether there was one. Errors: 400,
/// another host of this shop has not made it; 503, it is of another time.
pub(super) fn unmark(key: &[u8], now: Timestamp, request: &mut Request) -> Result<bool, Fault> {
    let Some(mark) = request.headers_mut().remove(FORWARDED) else { return Ok(false) };
    let (mut head, body) = std::mem::take(request).into_parts();
    let Some(Sender { peer, is_over_tls, at }) = sender_of(key, &head, &mark) else {
        tell(now, "it is of no host of this shop");
        return Err(Fault::invalid("The header atoll-forwarded is for the hosts of this shop alone"));
    };
    if now.millis().abs_diff(at.millis()) > CLOCKS_APART_MAX.as_millis() as u64 {
        tell(now, "it is of another time: the clocks of the hosts differ, or somebody repeats a request");
        return Err(Fault::not_written("the clocks of the hosts differ too much"));
    }
    head.extensions.remove::<ConnectInfo<SocketAddr>>();
    head.extensions.remove::<OverTls>();
    if let Some(peer) = peer {
        head.extensions.insert(ConnectInfo(peer));
    }
    if is_over_tls {
        head.extensions.insert(OverTls);
    }
    *request = Request::from_parts(head, body);
    Ok(true)
}

fn tell(now: Timestamp, why: &str) {
    static TOLD_MS: AtomicI64 = AtomicI64::new(0);
    let told = TOLD_MS.load(Ordering::Relaxed);
    let is_due = now.millis().abs_diff(told) >= PAUSE_MS as u64;
    if is_due && TOLD_MS.compare_exchange(told, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        tracing::warn!(why, "a request was refused that is marked as forwarded");
    }
}

/// Who sent a request, by its mark.
struct Sender {
    peer: Option<SocketAddr>,
    is_over_tls: bool,
    at: Timestamp,
}

fn sender_of(key: &[u8], head: &Head, mark: &HeaderValue) -> Option<Sender> {
    let (said, signature) = mark.to_str().ok()?.rsplit_once(';')?;
    let bytes: Option<Vec<u8>> = (signature.len() == 64).then(|| {
        let digit = |at: usize| u8::from_str_radix(signature.get(at..at + 2)?, 16).ok();
        (0..64).step_by(2).map(digit).collect()
    })?;
    signed(key, head, said).verify_slice(&bytes?).ok()?;
    let mut parts = said.split(';');
    let (peer, scheme, at) = (parts.next()?, parts.next()?, parts.next()?);
    let peer = if peer == NONE { None } else { Some(peer.parse().ok()?) };
    Some(Sender { peer, is_over_tls: scheme == "https", at: Timestamp::from_millis(at.parse().ok()?) })
}

/// What is signed: that this request, by its id, is this client's.
fn signed(key: &[u8], head: &Head, said: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    let header = |name: &str| head.headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    let (host, id) = (header(header::HOST.as_str()), header("x-request-id"));
    for part in [head.method.as_str().as_bytes(), address(&head.uri).as_bytes(), host, id, said.as_bytes()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac
}

/// The path and the query string: the rest of an address is not handed on.
pub(super) fn address(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |it| it.as_str())
}
