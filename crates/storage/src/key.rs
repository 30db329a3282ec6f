//! Keys of several parts that sort part by part.

/// Ends a part. A NUL inside a part is written as `00 FF`, so that parts of any text keep their order.
const END: [u8; 2] = [0x00, 0x01];

/// Builds a key: a space's prefix, terminated parts, and perhaps a raw tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBuf(Vec<u8>);

impl KeyBuf {
    /// A key in the space with this prefix.
    pub fn new(prefix: [u8; 2]) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&prefix);
        KeyBuf(bytes)
    }

    /// Appends a part and its end.
    pub fn part(mut self, text: &str) -> Self {
        push_part(&mut self.0, text);
        self
    }

    /// Appends bytes as they are: the last thing in a key.
    pub fn tail(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The key.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Appends `text` and its end to `bytes`.
fn push_part(bytes: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        bytes.push(byte);
        if byte == 0 {
            bytes.push(0xFF);
        }
    }
    bytes.extend_from_slice(&END);
}

/// The terminated parts alone, to be put behind a prefix.
pub(crate) fn group_key(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        push_part(&mut bytes, part);
    }
    bytes
}

/// Splits the first part off `bytes`: its text, and what follows its end.
pub fn split_part(bytes: &[u8]) -> Option<(String, &[u8])> {
    let mut text = Vec::new();
    let mut place = 0;
    loop {
        match (*bytes.get(place)?, bytes.get(place + 1)) {
            (0x00, Some(0x01)) => return Some((String::from_utf8(text).ok()?, &bytes[place + 2..])),
            (0x00, Some(0xFF)) => {
                text.push(0);
                place += 2;
            }
            (0x00, _) => return None,
            (byte, _) => {
                text.push(byte);
                place += 1;
            }
        }
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
}
