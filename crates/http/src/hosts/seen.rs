//! What a client has seen: the position that it carries from host to host (`atoll-after`), so that no host
//! answers it from an earlier state (read your writes).

use atoll_storage::Position;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Fault, Head, origins::cookies};

/// The header of answers that says which commits are behind them, and of requests, which are answered from
/// these or later ones; and the name of the cookie that says the same for browsers.
pub(super) const AFTER: HeaderName = HeaderName::from_static("atoll-after");

/// The header of requests that says how fresh the answer must be: `strict`.
const READ: HeaderName = HeaderName::from_static("atoll-read");

/// How long a browser keeps the cookie, in seconds: a host that is further behind is not ready.
const COOKIE_S: u32 = 60;

/// From which state on a request may be answered.
#[derive(Default)]
pub(super) struct Wanted {
    /// The last commit that its client has seen.
    pub(super) after: Position,
    /// Was that said by a cookie? Others than the client may have set it.
    pub(super) is_by_cookie: bool,
    /// From the last commit of the shop at the time of the request?
    pub(super) is_strict: bool,
}

impl Wanted {
    /// As the head of a request says. Health checks are about this host, whatever it has. Errors: 400, the
    /// head says neither.
    pub(super) fn by(head: &Head) -> Result<Wanted, Fault> {
        if super::is_below(head.uri.path(), "/health") {
            return Ok(Wanted::default());
        }
        // A proxy or a library may have added a line, or joined them: the highest number counts.
        let lines = head.headers.get_all(&AFTER).into_iter().map(HeaderValue::as_bytes);
        let mut said = None;
        for it in lines.flat_map(|it| it.split(|byte| *byte == b',')) {
            let number = number(it.trim_ascii()).ok_or_else(|| {
                Fault::invalid("The header atoll-after has a number that an answer had in this header")
            })?;
            said = said.max(Some(number));
        }
        let kept = cookies(head, AFTER.as_str()).filter_map(|it| number(it.as_bytes())).max();
        let is_strict = match head.headers.get(&READ).map(HeaderValue::as_bytes) {
            None => false,
            Some(b"strict") => true,
            Some(_) => return Err(Fault::invalid("The header atoll-read can be: strict")),
        };
        let after = said.max(kept).unwrap_or_default();
        Ok(Wanted { after: Position(after), is_by_cookie: kept > said, is_strict })
    }

    /// The commit from which it is answered, given the last one of the log, or why that is not known. It is
    /// an earlier one than is wanted where a cookie says more than there is. Errors: 503, it cannot be
    /// answered.
    pub(super) fn of(&self, head: Result<Position, String>) -> Result<Position, Fault> {
        match head {
            Ok(head) if self.after > head && !self.is_by_cookie => {
                Err(behind(&format!("This shop has no commit {}: its last one is {head}", self.after)))
            }
            Ok(head) if self.is_strict => Ok(head),
            Ok(head) if self.after > head => Ok(Position::default()),
            Err(error) if self.is_strict => {
                tracing::warn!(%error, "the log of the hosts was not asked for its end");
                Err(behind("Whether this host has seen every commit is not known: the log does not answer"))
            }
            _ => Ok(self.after),
        }
    }
}

/// 503: this host has not what a request is to be answered from.
pub(super) fn behind(why: &str) -> Fault {
    Fault::busy(why, 1).with_code("behind").at_limit("read_after_timeout")
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The position that an answer carries.
pub(super) fn position_of(headers: &HeaderMap) -> Option<Position> {
    headers.get(&AFTER).and_then(|it| number(it.as_bytes())).map(Position)
}

/// Says in an answer which commits are behind it; to a browser by a cookie, too, if it is to have one, for
/// TLS alone or not. What caches keep for everybody says nothing.
pub(super) fn say(headers: &mut HeaderMap, position: Position, cookie: Option<bool>) {
    let caching = headers.get(header::CACHE_CONTROL).and_then(|it| it.to_str().ok()).unwrap_or_default();
    if caching.split(',').any(|it| it.trim() == "public") {
        return;
    }
    headers.insert(AFTER, HeaderValue::from(position.0));
    if let Some(is_secure) = cookie {
        let secure = if is_secure { "; Secure" } else { "" };
        let line =
            format!("atoll-after={position}; Path=/; HttpOnly; SameSite=Lax; Max-Age={COOKIE_S}{secure}");
        if let Ok(line) = HeaderValue::try_from(line) {
            headers.append(header::SET_COOKIE, line);
        }
    }
}
