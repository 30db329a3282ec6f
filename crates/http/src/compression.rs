//! Compression of answers: the encoding that a client accepts, and gzip, Brotli and Zstandard by
//! `tower-http`.
//!
//! Only answers to reads are compressed. Compressing a secret together with text that an attacker chose tells
//! the secret by the length of the answer (BREACH): errors, which repeat what was sent, answers to logins,
//! and answers that show a secret once are left as they are, and so are those to writes.

use std::{convert::Infallible, future::ready};

use atoll_values::limits::{COMPRESSED_BYTES_MAX, COMPRESSED_BYTES_MIN, COMPRESSED_INLINE_BYTES_MAX};
use axum::http::{Extensions, HeaderMap, HeaderValue, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tokio::{runtime::Handle, task::spawn_blocking};
use tower::{ServiceExt, service_fn};
use tower_http::{CompressionLevel, compression::Compression};

use crate::Fault;

/// How the body of an answer is encoded. Of two that a client likes as well the later one is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Encoding {
    /// As it is.
    Identity,
    Gzip,
    Zstd,
    Brotli,
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 4] =
        [Encoding::Identity, Encoding::Gzip, Encoding::Zstd, Encoding::Brotli];

    /// Its name in `Content-Encoding`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Identity => "identity",
            Encoding::Gzip => "gzip",
            Encoding::Zstd => "zstd",
            Encoding::Brotli => "br",
        }
    }

    /// Names it in the headers of an answer, unless it is the identity.
    pub(crate) fn say(self, headers: &mut HeaderMap) {
        if self != Encoding::Identity {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(self.name()));
        }
    }

    /// The one that the header `Accept-Encoding` likes most. A client that accepts none gets the body as it
    /// is.
    pub(crate) fn accepted(headers: &HeaderMap) -> Encoding {
        let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|it| it.to_str().ok());
        let named: Vec<(&str, u16)> = lines.flat_map(|it| it.split(',')).map(weighed).collect();
        let of = |name: &str| named.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, it)| *it);
        let weight = |it: Encoding| match it {
            // What is not named is worse than all that is.
            Encoding::Identity => of(it.name()).unwrap_or_default(),
            Encoding::Gzip => of(it.name()).or(of("x-gzip")).or(of("*")).unwrap_or_default(),
            _ => of(it.name()).or(of("*")).unwrap_or_default(),
        };
        let liked = Encoding::ALL.into_iter().filter(|it| weight(*it) > 0);
        // As browsers prefer to read what is smaller, identity wins only where its weight is higher.
        liked.max_by_key(|it| (weight(*it), *it)).unwrap_or(Encoding::Identity)
    }
}

/// A coding of `Accept-Encoding` and its weight in thousandths; one that is malformed has none.
fn weighed(item: &str) -> (&str, u16) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
    let weight = weight.map_or(Some(1.0), |it| it.parse::<f32>().ok().filter(|it| (0.0..=1.0).contains(it)));
    (name, (weight.unwrap_or(0.0) * 1000.0) as u16)
}

/// A body that is worth compressing.
pub(crate) fn is_worth_it(body: &Bytes) -> bool {
    (COMPRESSED_BYTES_MIN..=COMPRESSED_BYTES_MAX).contains(&body.len())
}

/// Compresses a body: well if it may be remembered and sent often, else fast.
pub(crate) async fn compressed(body: Bytes, encoding: Encoding, is_kept: bool) -> Result<Bytes, Fault> {
    let is_long = body.len() > COMPRESSED_INLINE_BYTES_MAX;
    let work = compress(body, encoding, is_kept);
    if !is_long {
        return work.await;
    }
    let runtime = Handle::current();
    spawn_blocking(move || runtime.block_on(work)).await.map_err(Fault::unexpected)?
}

async fn compress(body: Bytes, encoding: Encoding, is_kept: bool) -> Result<Bytes, Fault> {
    let request = Request::builder().header(header::ACCEPT_ENCODING, encoding.name()).body(());
    let request = request.map_err(Fault::unexpected)?;
    let answer = service_fn(move |_| ready(Ok::<_, Infallible>(Response::new(Full::new(body.clone())))));
    let always = |_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| true;
    let level = if is_kept { CompressionLevel::Default } else { CompressionLevel::Fastest };
    let response = match Compression::new(answer).compress_when(always).quality(level).oneshot(request).await
    {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let body = response.into_body().collect().await;
    Ok(body.map_err(|error| Fault::unexpected(error.to_string()))?.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sent: &[&'static str], expected: Encoding) {
        let lines = sent.iter().map(|it| (header::ACCEPT_ENCODING, HeaderValue::from_static(it)));
        assert_eq!(Encoding::accepted(&lines.collect()), expected, "{sent:?}");
    }

    #[test]
    fn encoding_that_a_client_likes_most_is_taken() {
        check(&[], Encoding::Identity);
        check(&[""], Encoding::Identity);
        check(&["gzip, deflate, br, zstd"], Encoding::Brotli);
        check(&["gzip", "zstd"], Encoding::Zstd);
        check(&["GZip"], Encoding::Gzip);
        check(&["x-gzip"], Encoding::Gzip);
        check(&["deflate"], Encoding::Identity);
        check(&["br;q=0.5, gzip;q=0.8, zstd ; q=0.7"], Encoding::Gzip);
        check(&["br;q=0, gzip;q=0.001"], Encoding::Gzip);
        check(&["gzip;q=0"], Encoding::Identity);
        check(&["*"], Encoding::Brotli);
        check(&["br;q=0, *"], Encoding::Zstd);
        check(&["*;q=0"], Encoding::Identity);
        check(&["identity, gzip"], Encoding::Gzip);
        check(&["identity, gzip;q=0.5"], Encoding::Identity);
        check(&["identity;q=0.5, gzip"], Encoding::Gzip);
        check(&["gzip;q=2, br;q=x, zstd;q=-1"], Encoding::Identity);
    }
}
