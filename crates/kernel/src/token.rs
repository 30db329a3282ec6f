//! Tokens that nobody can guess, and what is stored of them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A token of 256 random bits, in hexadecimal digits.
pub fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// What is stored of a token. It has 256 random bits, so a plain digest of it tells nobody anything.
pub fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
