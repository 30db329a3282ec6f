//! The header by which a host marks a request that it forwards, so that the one that leads knows from whom it
//! came. It is signed with a key of the shop: a client that sends one is refused.

use std::net::SocketAddr;

use atoll_values::hex;
use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderValue, Uri, header},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{Fault, Head, OverTls};

/// Its name. The value has the address of the client as the host saw it, its scheme, and a signature.
pub(super) const FORWARDED: &str = "atoll-forwarded";

/// Stands for an address that is not known.
const NONE: &str = "-";

/// The mark of a request with this head.
pub(super) fn mark(key: &[u8], head: &Head) -> Option<HeaderValue> {
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or_else(|| NONE.to_owned(), |it| it.0.to_string());
    let scheme = if head.extensions.get::<OverTls>().is_some() { "https" } else { "http" };
    let signature = hex(&signed(key, head, &peer, scheme).finalize().into_bytes());
    HeaderValue::try_from(format!("{peer};{scheme};{signature}")).ok()
}

/// Takes the mark from a request, and the client for its sender. Returns whether there was one. Errors: 400,
/// another host of this shop has not made it.
pub(super) fn unmark(key: &[u8], request: &mut Request) -> Result<bool, Fault> {
    let Some(mark) = request.headers_mut().remove(FORWARDED) else { return Ok(false) };
    let (mut head, body) = std::mem::take(request).into_parts();
    let sender = sender_of(key, &head, &mark);
    if let Some((peer, is_over_tls)) = sender {
        head.extensions.remove::<ConnectInfo<SocketAddr>>();
        head.extensions.remove::<OverTls>();
        if let Some(peer) = peer {
            head.extensions.insert(ConnectInfo(peer));
        }
        if is_over_tls {
            head.extensions.insert(OverTls);
        }
    }
    *request = Request::from_parts(head, body);
    if sender.is_none() {
        tracing::warn!("a request was refused that is marked as forwarded, and by no host of this shop");
        return Err(Fault::invalid("The header atoll-forwarded is for the hosts of this shop alone"));
    }
    Ok(true)
}

fn sender_of(key: &[u8], head: &Head, mark: &HeaderValue) -> Option<(Option<SocketAddr>, bool)> {
    let mut parts = mark.to_str().ok()?.split(';');
    let (peer, scheme, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Option<Vec<u8>> = (signature.len() == 64).then(|| {
        let digit = |at: usize| u8::from_str_radix(signature.get(at..at + 2)?, 16).ok();
        (0..64).step_by(2).map(digit).collect()
    })?;
    signed(key, head, peer, scheme).verify_slice(&bytes?).ok()?;
    let peer = if peer == NONE { None } else { Some(peer.parse().ok()?) };
    Some((peer, scheme == "https"))
}

/// What is signed: that this request is this client's.
fn signed(key: &[u8], head: &Head, peer: &str, scheme: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    let host = head.headers.get(header::HOST).map_or(&b""[..], HeaderValue::as_bytes);
    for part in [head.method.as_str().as_bytes(), address(&head.uri).as_bytes(), host, peer.as_bytes()] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.update(scheme.as_bytes());
    mac
}

/// The path and the query string: the rest of an address is not handed on.
pub(super) fn address(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |it| it.as_str())
}
