//! Composite keys, which sort part by part, and their display.

use std::borrow::Cow;

/// Terminator of a part. A NUL inside a part is escaped as `00 FF`, so that parts of any text keep their
/// order.
const END: [u8; 2] = [0x00, 0x01];

/// A builder of keys: the prefix of a space, terminated parts, and an optional raw tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBuf(Vec<u8>);

impl KeyBuf {
    /// A key in the space with this prefix.
    pub fn new(prefix: [u8; 2]) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&prefix);
        KeyBuf(bytes)
    }

    /// Appends a part and its terminator.
    pub fn part(mut self, text: &str) -> Self {
        push_part(&mut self.0, text.as_bytes());
        self
    }

    /// Appends raw bytes, as the last thing in a key.
    pub fn tail(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The key.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Appends a part and its terminator to `bytes`.
fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    for &byte in part {
        bytes.push(byte);
        if byte == 0 {
            bytes.push(0xFF);
        }
    }
    bytes.extend_from_slice(&END);
}

/// Terminated parts without the prefix of a space.
pub fn group_key(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        push_part(&mut bytes, part.as_bytes());
    }
    bytes
}

/// A terminated part of any bytes.
pub(crate) fn part_of(bytes: &[u8]) -> Vec<u8> {
    let mut part = Vec::with_capacity(bytes.len() + END.len());
    push_part(&mut part, bytes);
    part
}

/// The length of the first part with its terminator; `None` if there is no terminator.
pub(crate) fn part_len(bytes: &[u8]) -> Option<usize> {
    bytes.windows(END.len()).position(|it| it == END).map(|it| it + END.len())
}

/// Splits off the first part: its text, and the bytes after its terminator.
pub fn split_part(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        match (*bytes.get(at)?, bytes.get(at + 1)) {
            (0x00, Some(0x01)) => return Some((String::from_utf8(text).ok()?, &bytes[at + 2..])),
            (0x00, Some(0xFF)) => {
                text.push(0);
                at += 2;
            }
            (0x00, _) => return None,
            (byte, _) => {
                text.push(byte);
                at += 1;
            }
        }
    }
}

/// Displays a key without the prefix of its space: its parts, separated by ` / `; bytes that are not text in
/// hex.
pub fn key_text(mut key: &[u8]) -> String {
    let mut parts: Vec<Cow<'_, str>> = Vec::new();
    while let Some((part, rest)) = split_part(key) {
        parts.push(part.into());
        key = rest;
    }
    if !key.is_empty() || parts.is_empty() {
        parts.push(bytes_text(key));
    }
    parts.join(" / ")
}

/// Displays bytes: text as it is, anything else in hex.
pub(crate) fn bytes_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.into(),
        _ => bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Vec<u8> {
        parts.iter().fold(KeyBuf::new([0, 1]), |key, part| key.part(part)).into_bytes()
    }

    #[test]
    fn keys_sort_part_by_part() {
        let ascending = [&["a"][..], &["a", "b"], &["a\0", "a"], &["a\0b"], &["ab"], &["b"]].map(key);
        assert!(ascending.is_sorted(), "{ascending:?}");
    }

    #[test]
    fn key_parts_round_trip() {
        let bytes = key(&["a\0b", "", "ü"]);
        let (first, rest) = split_part(&bytes[2..]).expect("first");
        let (second, rest) = split_part(rest).expect("second");
        let (third, rest) = split_part(rest).expect("third");
        assert_eq!((first.as_str(), second.as_str(), third.as_str(), rest), ("a\0b", "", "ü", &b""[..]));
        assert_eq!(split_part(b"no end"), None);
    }

    #[test]
    fn keys_are_shown_part_by_part() {
        let bytes = KeyBuf::new([0, 0]).part("prod_1").part("a\0b").tail(&7_u64.to_be_bytes()).into_bytes();
        assert_eq!(key_text(&bytes[2..]), "prod_1 / a\0b / 0x0000000000000007");
        assert_eq!(key_text(b"prod_1"), "prod_1");
        assert_eq!(key_text(b""), "");
    }
}
