//! HMAC-SHA256 signatures of webhooks: checked in constant time, with a tolerance for the time at which they
//! were made.

use std::time::Duration;

use atoll_values::hex;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{Ctx, Fault, Timestamp, limits::SIGNATURES_MAX};

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Two hexadecimal digits per byte, in any case.
    Hex,
    /// Base64 with padding.
    Base64,
}

impl Encoding {
    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Base64 => STANDARD.encode(bytes),
            Encoding::Hex => hex(bytes),
        }
    }

    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Encoding::Base64 => STANDARD.decode(text).ok(),
            Encoding::Hex => {
                let digits: Option<Vec<u32>> = text.chars().map(|it| it.to_digit(16)).collect();
                let digits = digits.filter(|it| it.len() % 2 == 0)?;
                digits.chunks(2).map(|pair| u8::try_from(16 * pair[0] + pair[1]).ok()).collect()
            }
        }
    }
}

/// HMAC-SHA256 over these parts, one after the other.
pub(crate) fn mac(secret: &[u8], signed: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length will do");
    signed.iter().for_each(|part| mac.update(part));
    mac
}

impl Ctx {
    /// A key of the shop for this purpose, derived from its secret (`jwt_secret`): the same after a restart
    /// and on all hosts of the shop, and of no use for any other purpose. Where the store keeps the secret
    /// ([`shop_secret`](crate::http::shop_secret)), so do its backups.
    pub fn key_for(&self, purpose: &str) -> Vec<u8> {
        self.lose();
        key_for(&self.config().jwt_secret, purpose)
    }
}

/// A key for this purpose, derived from a secret: what is signed with one does not verify with the other.
pub fn key_for(secret: &[u8], purpose: &str) -> Vec<u8> {
    mac(secret, &[purpose.as_bytes()]).finalize().into_bytes().to_vec()
}

/// The signature of a body.
pub fn sign(secret: &[u8], body: &[u8], encoding: Encoding) -> String {
    encoding.encode(&mac(secret, &[body]).finalize().into_bytes())
}

/// The signature of a body and the time, as [`check_timed_signature`] reads it: `t=1700000000,v1=5f3c…`.
pub fn sign_timed(secret: &[u8], body: &[u8], at: Timestamp) -> String {
    let t = at.millis().div_euclid(1000).to_string();
    let bytes = mac(secret, &[t.as_bytes(), b".", body]).finalize().into_bytes();
    format!("t={t},v1={}", Encoding::Hex.encode(&bytes))
}

/// Checks the signature of a body. A prefix such as `sha256=` is the caller's to take off. The comparison
/// takes the same time wherever they differ. A signature without a time can be replayed: what it asks for
/// must have one effect only, however often it comes. Error: 401.
pub fn check_signature(secret: &[u8], body: &[u8], signature: &str, encoding: Encoding) -> Result<(), Fault> {
    let given = encoding.decode(signature).ok_or_else(invalid)?;
    mac(secret, &[body]).verify_slice(&given).map_err(|_| invalid())
}

/// Checks a signature of the form `t=1700000000,v1=5f3c…`: the seconds since 1970, and the signature of
/// `{t}.{body}` in hexadecimal digits. Other keys are ignored; of several `v1`, as while a secret is
/// replaced, one must fit ([`SIGNATURES_MAX`]). Errors: 401 if none fits, or if `t` is further than
/// `tolerance` from `now`, into the past or the future.
pub fn check_timed_signature(
    secret: &[u8],
    body: &[u8],
    signature: &str,
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), Fault> {
    let pairs = || signature.split(',').filter_map(|it| it.trim().split_once('='));
    let (_, t) = pairs().find(|(key, _)| *key == "t").ok_or_else(invalid)?;
    let seconds: i64 = t.parse().map_err(|_| invalid())?;
    let given = pairs().filter(|(key, _)| *key == "v1").take(SIGNATURES_MAX);
    let fits = |(_, text): (&str, &str)| {
        let given = Encoding::Hex.decode(text);
        given.is_some_and(|it| mac(secret, &[t.as_bytes(), b".", body]).verify_slice(&it).is_ok())
    };
    if !given.into_iter().any(fits) {
        return Err(invalid());
    }
    let apart = now.millis().abs_diff(seconds.saturating_mul(1000));
    if u128::from(apart) > tolerance.as_millis() {
        return Err(Fault::unauthorized_because("The signature is too old, or of the future"));
    }
    Ok(())
}

fn invalid() -> Fault {
    Fault::unauthorized_because("The signature is invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case 2 of RFC 4231.
    #[test]
    fn signatures_are_those_of_rfc_4231() {
        let (secret, body): (&[u8], &[u8]) = (b"Jefe", b"what do ya want for nothing?");
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign(secret, body, Encoding::Hex), hex);
        for (signature, encoding, fits) in [
            (hex, Encoding::Hex, true),
            (&*hex.to_uppercase(), Encoding::Hex, true),
            ("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", Encoding::Base64, true),
            ("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", Encoding::Hex, false),
            (&hex[..62], Encoding::Hex, false),
            (&hex[..63], Encoding::Hex, false),
            ("", Encoding::Hex, false),
            ("", Encoding::Base64, false),
            ("ä", Encoding::Hex, false),
        ] {
            assert_eq!(check_signature(secret, body, signature, encoding).is_ok(), fits, "{signature}");
        }
        assert!(check_signature(b"Jeff", body, hex, Encoding::Hex).is_err());
        assert!(check_signature(secret, b"nothing", hex, Encoding::Hex).is_err());
    }

    #[test]
    fn timed_signatures_expire() {
        let (secret, body, tolerance) = (b"secret", b"{}", Duration::from_secs(300));
        let at = Timestamp::from_millis(1_700_000_000_000);
        let signature = sign_timed(secret, body, at);
        let v1 = signature.split_once(",v1=").expect("a signature").1.to_owned();
        let check = |signature: &str, ms: i64| {
            check_timed_signature(secret, body, signature, at.plus_millis(ms), tolerance)
                .err()
                .map_or_else(String::new, |it| it.to_string())
        };
        let (old, invalid) = ("The signature is too old, or of the future", "The signature is invalid");
        for (signature, ms, expected) in [
            (&*signature, 0, ""),
            (&*signature, 300_000, ""),
            (&*signature, 300_001, old),
            (&*signature, -300_001, old),
            (&*format!("v0=00,v1=00, v1={v1} ,t=1700000000"), 0, ""),
            // The time is signed, too.
            (&*format!("t=1700000001,v1={v1}"), 0, invalid),
            (&*format!("v1={v1}"), 0, invalid),
            (&*format!("t=soon,v1={v1}"), 0, invalid),
            (&*format!("t=99999999999999999999,v1={v1}"), 0, invalid),
            ("t=1700000000", 0, invalid),
            ("", 0, invalid),
            (&*format!("t=1700000000,{}v1={v1}", "v1=00,".repeat(SIGNATURES_MAX)), 0, invalid),
        ] {
            assert_eq!(check(signature, ms), expected, "{signature} {ms}");
        }
    }
}
