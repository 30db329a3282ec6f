//! Finds the numbers of a JSON text that have more digits than a float keeps. The parser has rounded these,
//! so only the text can tell.

use std::{collections::BTreeSet, ops::Bound};

use atoll_values::{Decimal, limits::LONG_NUMBERS_MAX};

/// Maximum length of a path to a field of a schema, in bytes. Longer ones lead into metadata.
const PATH_BYTES_MAX: usize = 256;

/// Maximum depth of a field of a schema. Deeper ones lead into metadata. The deepest of ours has 7: `create`,
/// `0`, `variants`, `0`, `prices`, `0`, `amount`.
const PATH_DEPTH_MAX: usize = 16;

/// The paths of the numbers of a JSON text that have more digits than a request may send.
#[derive(Debug, Default)]
pub struct LongNumbers {
    /// Sorted, so that numbers below a path are found by a range scan. Segments are separated by NUL.
    paths: BTreeSet<String>,
    /// The number of long numbers, with those at equal paths and in metadata. Scanning stops beyond
    /// [`LONG_NUMBERS_MAX`].
    n_found: usize,
}

/// A segment of a path: a key as it is written in the text, with quotes and escapes, or an index.
enum Segment<'a> {
    Key(&'a str),
    Item(usize),
}

impl LongNumbers {
    /// Scans a text that is known to be valid JSON, in linear time. A path is built only for long numbers,
    /// and for at most [`LONG_NUMBERS_MAX`] of them. Of two fields with the same name both count.
    pub fn of(json: &str) -> LongNumbers {
        let (mut found, mut path, mut at) = (LongNumbers::default(), Vec::new(), 0);
        let bytes = json.as_bytes();
        while at < bytes.len() && !found.are_too_many() {
            let rest = &json[at..];
            let n_bytes = match bytes[at] {
                b'{' => {
                    path.push(Segment::Key(""));
                    1
                }
                b'[' => {
                    path.push(Segment::Item(0));
                    1
                }
                b'}' | b']' => {
                    path.pop();
                    1
                }
                b',' => {
                    if let Some(Segment::Item(index)) = path.last_mut() {
                        *index += 1;
                    }
                    1
                }
                b'"' => {
                    let n_bytes = literal_bytes(rest);
                    if let Some(Segment::Key(key)) = path.last_mut()
                        && rest[n_bytes..].trim_start().starts_with(':')
                    {
                        *key = &rest[..n_bytes];
                    }
                    n_bytes
                }
                b'-' | b'0'..=b'9' => {
                    let ends_number = |it: char| !matches!(it, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                    let n_bytes = rest.find(ends_number).unwrap_or(rest.len());
                    if path.len() <= PATH_DEPTH_MAX && !is_short(&rest[..n_bytes]) {
                        found.n_found += 1;
                        found.paths.extend(joined(&path));
                    }
                    n_bytes
                }
                _ => 1,
            };
            // One byte is not one character outside of ASCII.
            at += n_bytes;
            while !json.is_char_boundary(at) {
                at += 1;
            }
        }
        found
    }

    /// Are there more than [`LONG_NUMBERS_MAX`]?
    pub(crate) fn are_too_many(&self) -> bool {
        self.n_found > LONG_NUMBERS_MAX
    }

    /// Is there a long number at this path?
    pub(crate) fn has(&self, path: &[String]) -> bool {
        !self.paths.is_empty() && self.paths.contains(&path.join("\0"))
    }

    /// Is there a long number at or below this path?
    pub(crate) fn has_below(&self, path: &[String]) -> bool {
        if self.paths.is_empty() {
            return false;
        }
        let path = path.join("\0");
        let mut from_here = self.paths.range::<str, _>((Bound::Included(&*path), Bound::Unbounded));
        // NUL sorts before every other character, so entries below the path come first.
        let next = from_here.next().and_then(|it| it.strip_prefix(&*path));
        next.is_some_and(|it| it.is_empty() || it.starts_with('\0'))
    }
}

/// A number of at most 15 characters, without an exponent, cannot have more than 15 digits.
fn is_short(number: &str) -> bool {
    let is_plain = number.len() <= 15 && !number.contains(['e', 'E']);
    is_plain || number.parse().is_ok_and(Decimal::is_short)
}

/// The length in bytes of the string literal at the start of `rest`, with its quotes.
fn literal_bytes(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The path as one string; `None` if it is too long to be that of a field of a schema.
fn joined(path: &[Segment<'_>]) -> Option<String> {
    let mut text = String::new();
    for (index, segment) in path.iter().enumerate() {
        if index > 0 {
            text.push('\0');
        }
        match segment {
            Segment::Key(key) if text.len() + key.len() > PATH_BYTES_MAX => return None,
            Segment::Key(key) => text.push_str(&serde_json::from_str::<String>(key).ok()?),
            Segment::Item(index) => text.push_str(&index.to_string()),
        }
    }
    (text.len() <= PATH_BYTES_MAX).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expect: &[&str]) {
        serde_json::from_str::<serde_json::Value>(json).expect(json);
        let paths = LongNumbers::of(json).paths;
        let found: Vec<String> = paths.into_iter().map(|it| it.replace('\0', ".")).collect();
        assert_eq!(found, expect, "{json}");
    }

    #[test]
    fn long_numbers_are_found_by_their_path() {
        check(r#"{"amount":19.99,"n":999999999999999,"e":1e3,"s":0.00000000000000000}"#, &[]);
        check(r#"{ "amount" : 19.990000000000000001 }"#, &["amount"]);
        check(r#"{"prices":[{"amount":1},{"amount":12345678901234567.8}]}"#, &["prices.1.amount"]);
        check("[[1,2e99],3,1234567890123456]", &["0.1", "2"]);
        check(r#"{"a":{"b":-1e-16},"c":1e-5000000}"#, &["a.b", "c"]);
        check("1e22", &[""]);
    }

    #[test]
    fn long_numbers_within_strings_are_ignored() {
        check(r#"{"a":"19.990000000000000001","b\"":"x: 1234567890123456","ä€":"\\"}"#, &[]);
        check(r#"{"a\n\u00e9":1234567890123456,"€":["\"",1234567890123456]}"#, &["a\né", "€.1"]);
        check(r#"{"a":[],"b":{},"c":[{}],"d":1234567890123456}"#, &["d"]);
    }

    #[test]
    fn long_number_in_a_duplicate_field_is_found() {
        check(r#"{"a":1234567890123456,"a":1}"#, &["a"]);
        check(r#"{"a":1,"a":1234567890123456}"#, &["a"]);
    }

    #[test]
    fn long_numbers_below_a_path_are_found() {
        let found = LongNumbers::of(r#"{"a":{"b":[1,1e16]},"ab":1e16,"c!":1e16}"#);
        let has_below = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|it| (*it).to_owned()).collect();
            found.has_below(&path)
        };
        assert!(has_below(&["a"]) && has_below(&["a", "b"]) && has_below(&["a", "b", "1"]));
        assert!(has_below(&["ab"]) && has_below(&["c!"]));
        assert!(!has_below(&["a", "b", "0"]) && !has_below(&["c"]) && !has_below(&["a", "c"]));
    }

    /// Memory stays bounded, however long and deep a body is.
    #[test]
    fn long_number_search_is_limited_in_depth_and_count() {
        let nested = |n: usize, numbers: &str| format!("{}{numbers}{}", "[".repeat(n), "]".repeat(n));
        let deep = LongNumbers::of(&nested(120, &format!("1e16{}", ",1e16".repeat(100_000))));
        assert_eq!((deep.n_found, deep.paths.len()), (0, 0));
        let last = LongNumbers::of(&nested(PATH_DEPTH_MAX, "1e16"));
        assert_eq!((last.n_found, last.paths.len()), (1, 1));
        let many = |n: usize| LongNumbers::of(&nested(1, &vec!["1e16"; n].join(",")));
        assert!(!many(LONG_NUMBERS_MAX).are_too_many());
        let found = many(100_000);
        assert!(found.are_too_many());
        assert_eq!((found.n_found, found.paths.len()), (LONG_NUMBERS_MAX + 1, LONG_NUMBERS_MAX + 1));
        // Numbers at equal paths, and at paths that are too long to be kept, count as well.
        let key = "k".repeat(PATH_BYTES_MAX + 1);
        for numbers in [r#""a":1e16,"#.repeat(100_000), format!(r#""{key}":1e16,"#).repeat(2_000)] {
            let found = LongNumbers::of(&format!("{{{numbers}\"b\":1}}"));
            assert_eq!(found.n_found, LONG_NUMBERS_MAX + 1);
        }
    }

    #[test]
    fn long_number_search_ignores_long_paths() {
        let key = "k".repeat(PATH_BYTES_MAX);
        check(&format!(r#"{{"{key}":{{"a":1234567890123456}}}}"#), &[]);
    }
}
