//! CORS: the allow-lists of web origins, and whether a cookie may be trusted (CSRF).

use std::str::FromStr;

use crate::Head;

/// An allow-list of origins as browsers name them (`https://shop.example`), or any.
///
/// Pages of any origin may call with a key or a token of their own. Browsers attach cookies to whatever a
/// page sends, so a cookie is accepted only from our own origin and from origins that are listed, not from
/// those that `Any` allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginList {
    /// Any origin (`*`).
    Any,
    /// These origins only.
    These(Vec<String>),
}

impl FromStr for OriginList {
    type Err = String;

    /// Parses `*`, or a comma-separated list of origins.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(OriginList::Any);
        }
        let origin = |text: &str| {
            let text = text.trim().trim_end_matches('/');
            match text.split_once("://") {
                Some((_, host)) if !host.is_empty() && !host.contains(['/', '*', ' ']) => Ok(text.to_owned()),
                _ => Err(format!("`{text}` is no origin, such as `https://shop.example`")),
            }
        };
        text.split(',').map(origin).collect::<Result<_, _>>().map(OriginList::These)
    }
}

impl OriginList {
    /// Is this origin listed? `Any` lists none. Schemes and hosts are case-insensitive.
    fn lists(&self, origin: &str) -> bool {
        matches!(self, OriginList::These(origins) if origins.iter().any(|it| it.eq_ignore_ascii_case(origin)))
    }
}

/// The allow-lists per area of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// For `/store`.
    pub store: OriginList,
    /// For `/admin`.
    pub admin: OriginList,
    /// For `/auth`.
    pub auth: OriginList,
}

impl Default for Origins {
    fn default() -> Self {
        Origins { store: OriginList::Any, admin: OriginList::Any, auth: OriginList::Any }
    }
}

impl Origins {
    /// The allow-list of a path. All other paths are public.
    fn of(&self, path: &str) -> &OriginList {
        match path.split('/').nth(1) {
            Some("store") => &self.store,
            Some("admin") => &self.admin,
            Some("auth") => &self.auth,
            _ => &OriginList::Any,
        }
    }

    /// May pages of this origin read the answers of this path?
    pub(crate) fn allows(&self, origin: &str, path: &str) -> bool {
        let list = self.of(path);
        *list == OriginList::Any || list.lists(origin)
    }

    /// May the cookie of this request authenticate it? Not if the request comes from a page of another origin
    /// that is not listed (CSRF).
    pub(crate) fn trust_cookie(&self, head: &Head) -> bool {
        let listed = |origin| self.of(head.uri.path()).lists(origin);
        is_from_own_page(head) || header(head, "origin").is_some_and(listed)
    }
}

/// Does the request come from a page of this server, or from no page? Browsers say so in `Sec-Fetch-Site`,
/// which holds whatever proxies make of `Host`; where they do not, as over HTTP without TLS, by `Origin`.
pub fn is_from_own_page(head: &Head) -> bool {
    if header(head, "sec-fetch-site") == Some("same-origin") {
        return true;
    }
    let Some(origin) = header(head, "origin") else { return true };
    let host = origin.split_once("://").map(|(_, it)| it).zip(header(head, "host"));
    host.is_some_and(|(it, ours)| it.eq_ignore_ascii_case(ours))
}

/// The value of a header; `None` if it is absent or not text.
pub fn header<'a>(head: &'a Head, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

/// The value of a cookie; `None` if it is absent.
pub fn cookie<'a>(head: &'a Head, name: &str) -> Option<&'a str> {
    cookies(head, name).next()
}

/// All cookies of this name: several paths and domains may each have set one.
pub(crate) fn cookies<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = head.headers.get_all("cookie").into_iter().filter_map(|it| it.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    cookies.filter(move |(it, _)| *it == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn origins() -> Origins {
        let admin = "https://Admin.example, http://localhost:5173/".parse().expect("a list");
        Origins { admin, ..Origins::default() }
    }

    #[test]
    fn invalid_cors_origins_are_refused() {
        for text in
            ["", "shop.example", "https://", "https://shop.example/path", "https://*.example", "*,http://a"]
        {
            assert!(text.parse::<OriginList>().is_err(), "{text}");
        }
        assert_eq!("*".parse(), Ok(OriginList::Any));
    }

    #[test]
    fn cors_origins_are_per_path() {
        let check = |origin: &str, path: &str, expected: bool| {
            assert_eq!(origins().allows(origin, path), expected, "{origin} {path}");
        };
        check("https://admin.example", "/admin/products", true);
        check("http://localhost:5173", "/admin/products", true);
        check("http://localhost:51", "/admin/products", false);
        check("https://evil.example", "/admin/products", false);
        check("https://evil.example", "/store/products", true);
    }

    #[test]
    fn cookies_count_for_same_site_and_configured_origins() {
        let check = |origin: Option<&str>, path: &str, expected: bool| {
            let mut request = Request::builder().uri(path).header("host", "API.example");
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let (head, ()) = request.body(()).expect("a request").into_parts();
            assert_eq!(origins().trust_cookie(&head), expected, "{origin:?} {path}");
        };
        check(None, "/admin/products", true);
        check(Some("https://api.example"), "/admin/products", true);
        check(Some("https://admin.example"), "/admin/products", true);
        check(Some("https://evil.example"), "/admin/products", false);
        // Any origin may call, but not with a cookie.
        check(Some("https://evil.example"), "/store/carts", false);
        check(Some("null"), "/store/carts", false);
    }

    #[test]
    fn browsers_say_which_pages_are_ours_where_a_proxy_changes_the_host() {
        let check = |site: &str, expected: bool| {
            let request = Request::builder().header("host", "10.0.0.5:9000").header("sec-fetch-site", site);
            let request = request.header("origin", "https://api.example");
            let (head, ()) = request.body(()).expect("a request").into_parts();
            assert_eq!(is_from_own_page(&head), expected, "{site}");
        };
        check("same-origin", true);
        check("same-site", false);
        check("cross-site", false);
        check("none", false);
    }
}
