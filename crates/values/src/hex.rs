//! Hexadecimal digits of bytes: digests, tokens, signatures.

use std::fmt::Write as _;

/// Two hexadecimal digits per byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
