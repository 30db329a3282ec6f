//! What a guard may read of a request: who makes it, and as of when. The answer cache tells requests apart by
//! the same (cache key), so a guard cannot depend on a header that the cache does not know.

use axum::http::{HeaderValue, Method};

use crate::{App, Head, Origins, cookie};

/// A header that a guard may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerHeader(&'static str);

impl CallerHeader {
    /// All of them: a header that is not here has no name that a guard could use.
    pub(crate) const ALL: [CallerHeader; 3] = [
        CallerHeader("x-publishable-api-key"),
        CallerHeader("authorization"),
        CallerHeader("x-atoll-preview-at"),
    ];

    /// The publishable key of a storefront.
    pub const PUBLISHABLE_KEY: CallerHeader = CallerHeader::ALL[0];
    /// A token, or a secret key.
    pub const AUTHORIZATION: CallerHeader = CallerHeader::ALL[1];
    /// The time of a preview.
    pub const PREVIEW_AT: CallerHeader = CallerHeader::ALL[2];

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// The part of a request's head that a guard reads.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    head: &'a Head,
    session_cookie: &'static str,
}

impl<'a> Caller<'a> {
    /// Who makes a request with this head.
    pub fn of<A: App>(head: &'a Head) -> Caller<'a> {
        Caller { head, session_cookie: A::SESSION_COOKIE }
    }

    /// The method of the request. Only answers to `GET` are remembered.
    pub fn method(self) -> &'a Method {
        &self.head.method
    }

    /// The value of a header.
    pub fn header(self, header: CallerHeader) -> Option<&'a HeaderValue> {
        self.head.headers.get(header.0)
    }

    /// The cookie of the session, unless a page sends it that must not use it (CSRF).
    pub fn session(self, origins: &Origins) -> Option<&'a str> {
        self.any_session().filter(|_| origins.trust_cookie(self.head))
    }

    fn any_session(self) -> Option<&'a str> {
        cookie(self.head, self.session_cookie)
    }

    /// Calls `add` with everything that tells this caller from others.
    pub(crate) fn tell_apart(self, mut add: impl FnMut(Option<&[u8]>)) {
        let value = |name| self.head.headers.get(name).map(HeaderValue::as_bytes);
        CallerHeader::ALL.into_iter().for_each(|it| add(value(it.0)));
        if let Some(session) = self.any_session() {
            // Whether a cookie is trusted depends on the page that sends it.
            add(Some(session.as_bytes()));
            ["origin", "host", "sec-fetch-site"].into_iter().for_each(|name| add(value(name)));
        }
    }
}
