//! Finds the numbers of a JSON text that have more digits than a float holds: the parser has rounded them, so that only
//! the text tells.

use std::collections::HashSet;

use atoll_values::Decimal;

/// A path below which no described field stands: longer ones lead into free data.
const PATH_BYTES_MAX: usize = 256;

/// Where a text has numbers of more digits than a request may send.
#[derive(Debug, Default)]
pub struct LongNumbers(HashSet<String>);

/// A step of a path: where the name stands in the text, or the place in a list.
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

impl LongNumbers {
    /// Reads a text that was parsed before.
    pub fn of(json: &str) -> LongNumbers {
        let (mut found, mut path, mut at) = (HashSet::new(), Vec::new(), 0);
        let bytes = json.as_bytes();
        while at < bytes.len() {
            let rest = &json[at..];
            let n_bytes = match bytes[at] {
                b'{' => {
                    path.push(Step::Key(""));
                    1
                }
                b'[' => {
                    path.push(Step::Item(0));
                    1
                }
                b'}' | b']' => {
                    path.pop();
                    1
                }
                b',' => {
                    if let Some(Step::Item(place)) = path.last_mut() {
                        *place += 1;
                    }
                    1
                }
                b'"' => {
                    let n_bytes = n_bytes_of_text(rest);
                    if let Some(Step::Key(key)) = path.last_mut()
                        && rest[n_bytes..].trim_start().starts_with(':')
                    {
                        *key = &rest[..n_bytes];
                    }
                    n_bytes
                }
                b'-' | b'0'..=b'9' => {
                    let is_behind = |it: char| !matches!(it, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
                    let n_bytes = rest.find(is_behind).unwrap_or(rest.len());
                    let is_long = !is_short(&rest[..n_bytes]);
                    // Of two fields of one name the last one counts.
                    if (is_long || !found.is_empty())
                        && let Some(path) = text_of(&path)
                    {
                        if is_long {
                            found.insert(path)
                        } else {
                            found.remove(&path)
                        };
                    }
                    n_bytes
                }
                _ => 1,
            };
            // Only ASCII leads to the next character by itself.
            at += n_bytes;
            while !json.is_char_boundary(at) {
                at += 1;
            }
        }
        LongNumbers(found)
    }

    /// Is the number at this path one of them?
    pub(crate) fn has(&self, path: &[String]) -> bool {
        !self.0.is_empty() && self.0.contains(&path.join("\0"))
    }

    /// Is one of them at this path, or below it?
    pub(crate) fn has_below(&self, path: &[String]) -> bool {
        let path = path.join("\0");
        self.0
            .iter()
            .any(|it| it.strip_prefix(&*path).is_some_and(|it| it.is_empty() || it.starts_with('\0')))
    }
}

/// A number that has so few characters has no more digits.
fn is_short(number: &str) -> bool {
    let is_plain = number.len() <= 15 && !number.contains(['e', 'E']);
    is_plain || number.parse().is_ok_and(Decimal::is_short)
}

/// The length of the text that begins here, with its quotes.
fn n_bytes_of_text(rest: &str) -> usize {
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

/// A path as one text, unless it is too long to be that of a field.
fn text_of(path: &[Step<'_>]) -> Option<String> {
    let mut text = String::new();
    for (place, step) in path.iter().enumerate() {
        if place > 0 {
            text.push('\0');
        }
        match step {
            Step::Key(key) if text.len() + key.len() > PATH_BYTES_MAX => return None,
            Step::Key(key) => text.push_str(&serde_json::from_str::<String>(key).ok()?),
            Step::Item(place) => text.push_str(&place.to_string()),
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
        let mut found: Vec<String> =
            LongNumbers::of(json).0.into_iter().map(|it| it.replace('\0', ".")).collect();
        found.sort_unstable();
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
    fn what_looks_like_a_number_or_a_name_in_a_text_is_none() {
        check(r#"{"a":"19.990000000000000001","b\"":"x: 1234567890123456","ä€":"\\"}"#, &[]);
        check(r#"{"a\n\u00e9":1234567890123456,"€":["\"",1234567890123456]}"#, &["a\né", "€.1"]);
        check(r#"{"a":[],"b":{},"c":[{}],"d":1234567890123456}"#, &["d"]);
    }

    #[test]
    fn the_last_field_of_a_name_counts() {
        check(r#"{"a":1234567890123456,"a":1}"#, &[]);
        check(r#"{"a":1,"a":1234567890123456}"#, &["a"]);
    }

    #[test]
    fn long_paths_are_free_data() {
        let key = "k".repeat(PATH_BYTES_MAX);
        check(&format!(r#"{{"{key}":{{"a":1234567890123456}}}}"#), &[]);
    }
}
