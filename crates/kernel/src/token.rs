//! Random tokens, and the digests of them that are stored.

use atoll_values::hex;
use sha2::{Digest, Sha256};

/// A token of 256 random bits, in hexadecimal digits.
pub fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// The digest of a token that is stored. A token has 256 random bits, so an unsalted hash does not reveal it.
pub fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}
