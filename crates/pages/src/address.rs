//! Addresses of the API and of pages, with every part of them escaped (percent-encoding): an id that a
//! request brought is a segment, whatever is in it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a part of an address.
pub fn encoded(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, ESCAPED)
}

/// A path with a query string: `Address::of("/admin/products").then(id).with("fields", "id,title")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    path: String,
    query: Vec<(String, String)>,
}

impl Address {
    /// The address of a path that the program knows.
    pub fn of(path: &str) -> Address {
        Address { path: path.to_owned(), query: Vec::new() }
    }

    /// The path, without the query string.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The parameters.
    pub(crate) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// With another segment. `.` and `..` would lead elsewhere: they are no ids, and become `-`.
    #[must_use]
    pub fn then(mut self, segment: &str) -> Address {
        let segment = if matches!(segment, "" | "." | "..") { "-" } else { segment };
        self.path.push('/');
        self.path.push_str(&encoded(segment).to_string());
        self
    }

    /// With a parameter. One that is empty is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Address {
        let value = value.to_string();
        if !value.is_empty() {
            self.query.push((name.to_owned(), value));
        }
        self
    }
}

impl From<&str> for Address {
    fn from(path: &str) -> Address {
        Address::of(path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            write!(f, "{mark}{}={}", encoded(name), encoded(value))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_brought_stays_one_segment_or_one_value() {
        let address = |id: &str| Address::of("/admin/products").then(id).with("q", "a&b=c").to_string();
        assert_eq!(address("prod_1"), "/admin/products/prod_1?q=a%26b%3Dc");
        assert_eq!(address("../users?x#y"), "/admin/products/..%2Fusers%3Fx%23y?q=a%26b%3Dc");
        assert_eq!(address(".."), "/admin/products/-?q=a%26b%3Dc");
        assert_eq!(Address::of("/a").with("empty", "").to_string(), "/a");
    }
}
