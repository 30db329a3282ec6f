//! Where the pages are served.

use std::{fmt, str::FromStr};

/// Areas of the API and of this server, below which there is no place for pages.
pub const AREAS: [&str; 8] = ["admin", "auth", "docs", "health", "hooks", "openapi.json", "static", "store"];

/// The segments of a path of one's own, such as `/app`: letters, digits, `-` and `_`; `None` for other text.
pub fn segments(path: &str) -> Option<Vec<&str>> {
    let is_word = |it: &&str| {
        !it.is_empty() && it.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
    };
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    segments.iter().all(is_word).then_some(segments)
}

/// The path of the pages: `/app`, another, or nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagesAt {
    /// There are no pages.
    Nowhere,
    /// Below this path, which begins with a slash and does not end with one.
    Path(String),
}

impl Default for PagesAt {
    fn default() -> PagesAt {
        PagesAt::Path("/app".into())
    }
}

impl PagesAt {
    /// The path, if there are pages.
    pub fn path(&self) -> Option<&str> {
        match self {
            PagesAt::Nowhere => None,
            PagesAt::Path(path) => Some(path),
        }
    }
}

impl FromStr for PagesAt {
    type Err = String;

    /// `off`, or a path such as `/app`.
    fn from_str(text: &str) -> Result<PagesAt, String> {
        if text == "off" {
            return Ok(PagesAt::Nowhere);
        }
        let path = text.trim_end_matches('/');
        // Where dashboards are, unless their own setting says otherwise.
        let is_free = |first: &str| first != "dashboard" && !AREAS.contains(&first);
        match segments(path) {
            Some(segments) if is_free(segments[0]) => Ok(PagesAt::Path(path.to_owned())),
            _ => Err("it must be `off`, or a path that the API does not use, such as `/app`".into()),
        }
    }
}

impl fmt::Display for PagesAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path().unwrap_or("off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_nowhere_or_beside_the_api() {
        for (text, path) in [("/app", Some("/app")), ("/shop/admin/", Some("/shop/admin")), ("off", None)] {
            assert_eq!(text.parse::<PagesAt>().expect(text).path(), path);
        }
        for text in ["", "app", "/", "/admin", "/store/app", "/a b", "//app", "/docs", "/a/{b}"] {
            assert!(text.parse::<PagesAt>().is_err(), "{text}");
        }
    }
}
