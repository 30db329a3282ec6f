//! The answer cache: answers to reads, remembered until something that they depend on changes; `ETag` and
//! `If-None-Match`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use atoll_storage::{Dependencies, Position};
use atoll_values::{Timestamp, hex, limits::ANSWER_SHARE};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use foldhash::fast::RandomState;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter, sync::Cache};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{App, Auth, Caller, Head, Route, compression::Encoding, router::JSON};

/// Parts of the cache, each with a lock of its own. An answer may take half of one.
const N_SHARDS: usize = ANSWER_SHARE / 2;

/// The usual size of an answer, by which the table is dimensioned at first.
const ANSWER_BYTES: usize = 16 * 1024;

/// Put into the extensions of a request, it is answered without the cache. For tests, which compare both.
#[derive(Clone, Copy, Debug)]
pub struct Uncached;

/// A request to which an answer may be remembered: all that the answer depends on besides the data and the
/// time. Compared byte by byte, so that no two requests share an answer by chance.
pub(crate) struct Question(Box<[u8]>);

impl Question {
    /// The question of a request, whose answer is to be encoded like this; `None` if answers of this route
    /// are not remembered.
    pub(crate) fn of<A: App>(route: &Route<A>, head: &Head, encoding: Encoding) -> Option<Question> {
        if !route.is_remembered() || head.extensions.get::<Uncached>().is_some() {
            return None;
        }
        // Neither an address nor a header holds a NUL.
        let mut key = Vec::with_capacity(512);
        key.push(encoding as u8);
        key.extend_from_slice(head.uri.path_and_query().map_or("", |it| it.as_str()).as_bytes());
        let add = |value: Option<&[u8]>| {
            key.push(0);
            if let Some(value) = value {
                // Absent and empty are not the same.
                key.push(b'=');
                key.extend_from_slice(value);
            }
        };
        Caller::of::<A>(head).tell_apart(add);
        Some(Question(key.into()))
    }
}

/// An answer that has an `ETag`, in one encoding.
pub(crate) struct Tagged {
    body: Bytes,
    encoding: Encoding,
    etag: HeaderValue,
    /// Is it for one customer? Then it is not to be stored by the client.
    is_personal: bool,
    /// The last commit that it was made of, where several hosts serve the shop.
    pub(crate) position: Position,
}

/// A remembered answer.
pub(crate) struct Kept {
    pub(crate) answer: Tagged,
    dependencies: Dependencies,
}

impl Tagged {
    /// An answer of this JSON, which is `body` in this encoding.
    pub(crate) fn new(
        json: &[u8],
        body: Bytes,
        encoding: Encoding,
        is_personal: bool,
        position: Position,
    ) -> Tagged {
        Tagged { body, encoding, etag: etag(json, encoding), is_personal, position }
    }

    /// The kind of caller whom a route with this auth has answered so.
    pub(crate) fn asked_by(&self, auth: Auth) -> &'static str {
        match auth {
            _ if self.is_personal => "customer",
            _ if auth.is_store() => "storefront",
            _ if auth.is_admin() => "admin",
            _ => "none",
        }
    }

    /// The answer to a request with these `If-None-Match`: 304 without a body if the client has it.
    pub(crate) fn response<'a>(&self, if_none_match: impl IntoIterator<Item = &'a HeaderValue>) -> Response {
        let is_known = is_known(if_none_match, &self.etag);
        let body = if is_known { Body::empty() } else { Body::from(self.body.clone()) };
        let mut response = Response::new(body);
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        // A browser may store it, and asks each time whether it is still the same.
        let stored = if self.is_personal { "private, no-store" } else { "private, no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(stored));
        if !is_known {
            headers.insert(header::CONTENT_TYPE, JSON);
            self.encoding.say(headers);
        }
        response
    }
}

impl Kept {
    fn n_bytes(&self) -> usize {
        size_of::<Kept>() + self.answer.body.len() + self.dependencies.n_bytes()
    }
}

/// A digest of a JSON text, so that it is the same after a restart and after changes that were taken back.
fn digest(json: &[u8]) -> String {
    hex(&Sha256::digest(json)[..16])
}

/// The `ETag` of an answer of this JSON that is not encoded.
pub fn etag_of(json: &[u8]) -> String {
    etag_text(json, Encoding::Identity)
}

/// Does the `If-Match` of a request name the answer of this JSON, in whatever encoding it was sent?
pub fn is_expected(head: &Head, json: &[u8]) -> bool {
    let digest = digest(json);
    let of = |tag: &str| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.trim_matches('"').split('-').next() == Some(&*digest)
    };
    tags(head.headers.get_all(header::IF_MATCH)).any(of)
}

/// The `ETag` of a JSON text in this encoding.
fn etag_text(json: &[u8], encoding: Encoding) -> String {
    let digest = digest(json);
    match encoding {
        Encoding::Identity => format!("\"{digest}\""),
        _ => format!("\"{digest}-{}\"", encoding.name()),
    }
}

fn etag(json: &[u8], encoding: Encoding) -> HeaderValue {
    HeaderValue::from_str(&etag_text(json, encoding)).expect("digits and letters")
}

/// The tags in these lines of `If-Match` or `If-None-Match`.
fn tags<'a>(lines: impl IntoIterator<Item = &'a HeaderValue>) -> impl Iterator<Item = &'a str> {
    lines.into_iter().filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(',')).map(str::trim)
}

/// Does `If-None-Match` name this `ETag`, or any?
fn is_known<'a>(if_none_match: impl IntoIterator<Item = &'a HeaderValue>, etag: &HeaderValue) -> bool {
    tags(if_none_match)
        .any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it).as_bytes() == etag.as_bytes())
}

/// What became of requests whose answers may be remembered, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnswerCacheCounts {
    /// Requests that were answered from the cache.
    pub remembered: u64,
    /// Of them, those that were answered with 304.
    pub not_modified: u64,
    /// Requests whose answer was not in the cache.
    pub missed: u64,
    /// Requests whose answer was in the cache, and outdated; they also count as missed.
    pub outdated: u64,
    /// Answers that were left out of the cache: errors, and those that depend on more than is recorded, are
    /// too large, or were outdated when they were ready.
    pub left_out: u64,
    /// Answers that were removed to make room for others.
    pub evicted: u64,
    /// Answers in the cache.
    pub answers: u64,
    /// Bytes in the cache, with what the answers depend on.
    pub bytes: u64,
}

/// Answers to reads, up to a number of bytes. What was not asked for the longest time goes first, more or
/// less: what was asked only once goes before what was asked repeatedly.
pub struct AnswerCache {
    kept: Cache<Box<[u8]>, Arc<Kept>, Weigh, RandomState, Evicted>,
    answer_bytes_max: usize,
    n_remembered: AtomicU64,
    n_not_modified: AtomicU64,
    n_missed: AtomicU64,
    n_outdated: AtomicU64,
    n_left_out: AtomicU64,
    n_evicted: Evicted,
    is_unchecked: AtomicBool,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Box<[u8]>, Arc<Kept>> for Weigh {
    fn weight(&self, key: &Box<[u8]>, kept: &Arc<Kept>) -> u64 {
        (key.len() + kept.n_bytes()) as u64
    }
}

/// Counts what is removed to make room.
#[derive(Clone, Default)]
struct Evicted(Arc<AtomicU64>);

impl Lifecycle<Box<[u8]>, Arc<Kept>> for Evicted {
    type RequestState = ();

    fn on_evict(&self, (): &mut (), _: Box<[u8]>, _: Arc<Kept>) {
        add(&self.0);
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

impl AnswerCache {
    /// A cache of this many bytes.
    ///
    /// # Panics
    /// Never: the options are complete.
    pub fn new(bytes_max: usize) -> AnswerCache {
        let options = OptionsBuilder::new()
            .shards(N_SHARDS)
            .estimated_items_capacity((bytes_max / ANSWER_BYTES).max(N_SHARDS * 32))
            .weight_capacity(bytes_max as u64)
            .build()
            .expect("all options that are needed");
        let n_evicted = Evicted::default();
        AnswerCache {
            kept: Cache::with_options(options, Weigh, RandomState::default(), n_evicted.clone()),
            answer_bytes_max: bytes_max / ANSWER_SHARE,
            n_remembered: AtomicU64::new(0),
            n_not_modified: AtomicU64::new(0),
            n_missed: AtomicU64::new(0),
            n_outdated: AtomicU64::new(0),
            n_left_out: AtomicU64::new(0),
            n_evicted,
            is_unchecked: AtomicBool::new(false),
        }
    }

    /// The remembered answer, if it would be the same now; `now` is called if that depends on the time.
    pub(crate) fn find(&self, question: &Question, now: impl FnOnce() -> Timestamp) -> Option<Arc<Kept>> {
        let found = self.kept.get(&question.0[..]);
        let is_there = found.is_some();
        let found = found.filter(|it| it.dependencies.hold(now) || self.is_unchecked.load(Ordering::Relaxed));
        match (&found, is_there) {
            (Some(_), _) => add(&self.n_remembered),
            (None, true) => [&self.n_missed, &self.n_outdated].into_iter().for_each(add),
            (None, false) => add(&self.n_missed),
        }
        found
    }

    /// Counts a 304.
    pub(crate) fn sent(&self, response: &Response) {
        if response.status() == StatusCode::NOT_MODIFIED {
            add(&self.n_not_modified);
        }
    }

    /// Is this much JSON too much to remember? Then it gets no `ETag` either, which takes a digest.
    pub(crate) fn is_too_long(&self, json: &[u8]) -> bool {
        json.len() > self.answer_bytes_max
    }

    /// Remembers an answer that depends on this, if that is known and the answer is not too large.
    pub(crate) fn keep(&self, question: Question, answer: Tagged, dependencies: Option<Dependencies>) {
        let kept = dependencies.map(|dependencies| Kept { answer, dependencies });
        match kept.filter(|it| question.0.len() + it.n_bytes() <= self.answer_bytes_max) {
            Some(kept) => self.kept.insert(question.0, Arc::new(kept)),
            None => self.leave_out(),
        }
    }

    /// Counts an answer that is not remembered.
    pub(crate) fn leave_out(&self) {
        add(&self.n_left_out);
    }

    /// What became of the requests so far.
    pub fn counts(&self) -> AnswerCacheCounts {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        AnswerCacheCounts {
            remembered: count(&self.n_remembered),
            not_modified: count(&self.n_not_modified),
            missed: count(&self.n_missed),
            outdated: count(&self.n_outdated),
            left_out: count(&self.n_left_out),
            evicted: count(&self.n_evicted.0),
            answers: self.kept.len() as u64,
            bytes: self.kept.weight(),
        }
    }

    /// Serves what is remembered without asking whether it is outdated. For a test of the tests.
    #[doc(hidden)]
    pub fn leave_unchecked(&self) {
        self.is_unchecked.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_are_compared_weakly() {
        let etag = etag(b"{}", Encoding::Gzip);
        assert_eq!(etag, "\"44136fa355b3678a1146ad16f7e8649e-gzip\"");
        let check = |lines: &[&'static str], expected: bool| {
            let lines: Vec<HeaderValue> = lines.iter().map(|it| HeaderValue::from_static(it)).collect();
            assert_eq!(is_known(&lines, &etag), expected);
        };
        check(&[], false);
        check(&["*"], true);
        check(&["\"44136fa355b3678a1146ad16f7e8649e-gzip\""], true);
        check(&["W/\"44136fa355b3678a1146ad16f7e8649e-gzip\""], true);
        check(&["\"other\", \"44136fa355b3678a1146ad16f7e8649e-gzip\""], true);
        check(&["\"other\"", "\"44136fa355b3678a1146ad16f7e8649e-gzip\""], true);
        check(&["\"44136fa355b3678a1146ad16f7e8649e\"", "44136fa355b3678a1146ad16f7e8649e-gzip"], false);
    }
}
