//! JSON Web Tokens: signed with HS256, the only algorithm that is accepted.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::Mac as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Ctx, Fault, Now, Timestamp, limits::TOKEN_BYTES_MAX, signature::mac};

/// The header of every token that is made here.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What the header of a token must say. Other algorithms, `none` among them, are refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    /// Extensions that must be understood: a token with any is refused, since none is implemented.
    crit: Option<Value>,
}

/// Validity of a token, in seconds since 1970.
#[derive(Deserialize)]
struct Times {
    iat: i64,
    exp: i64,
    nbf: Option<i64>,
}

impl Times {
    /// A token from the future was signed while the clock was ahead, and is refused: its holder logs in
    /// again.
    fn is_good(&self, now: &Now) -> bool {
        let of = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
        let begins = of(self.iat.max(self.nbf.unwrap_or(self.iat)));
        !now.is_behind(begins) && !now.has_reached(of(self.exp))
    }
}

/// A token without its signature.
pub(crate) fn unsigned(claims: &impl Serialize) -> Result<String, serde_json::Error> {
    let claims = serde_json::to_vec(claims)?;
    Ok(format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims)))
}

/// The token with its signature.
pub(crate) fn signed(key: &[u8], unsigned: &str) -> String {
    let signature = mac(key, &[unsigned.as_bytes()]).finalize().into_bytes();
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The claims of a token, if its signature and its times are valid. A token whose claims are missing or of
/// another type is invalid.
pub(crate) fn read<T: DeserializeOwned>(key: &[u8], token: &str, now: &Now) -> Option<T> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (unsigned, signature) = token.rsplit_once('.')?;
    let (header, claims) = unsigned.split_once('.')?;
    mac(key, &[unsigned.as_bytes()]).verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let is_ours = header.alg == "HS256" && header.typ.is_none_or(|it| it == "JWT") && header.crit.is_none();
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let times: Times = serde_json::from_slice(&claims).ok()?;
    if is_ours && times.is_good(now) { serde_json::from_slice(&claims).ok() } else { None }
}

impl Ctx {
    /// Signs claims as a JWT. They must contain `iat` and `exp`.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Fault> {
        let unsigned = unsigned(claims).map_err(Fault::unexpected)?;
        Ok(signed(&self.config().jwt_secret, &unsigned))
    }

    /// The claims of a token made by [`Ctx::sign`], if it is still valid.
    pub fn read_signed<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        read(&self.config().jwt_secret, token, &self.time())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &[u8] = b"a key for tests";
    const NOW_S: i64 = 1_800_000_000;

    fn read_at(token: &str, now_s: i64) -> Option<Value> {
        read(KEY, token, &Timestamp::from_millis(now_s * 1000).into())
    }

    /// A token with this header and these claims, signed with the test's key.
    fn forged(header: &str, claims: &str) -> String {
        signed(KEY, &format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn jwt_matches_other_implementations() {
        // RFC 7515, A.1: another header, and line breaks in both.
        let key = URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .expect("a key");
        let unsigned = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let token = signed(&key, unsigned);
        assert!(token.ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "{token}");
    }

    #[test]
    fn jwt_expires() {
        let claims = json!({ "iat": NOW_S, "exp": NOW_S + 60, "who": "ann" });
        let token = signed(KEY, &unsigned(&claims).expect("a token"));
        for (at, is_good) in [
            (-61, false),
            (-60, true),
            (0, true),
            (59, true),
            (60, false),
            (61, false),
            (i64::MIN / 4000, false),
        ] {
            assert_eq!(read_at(&token, NOW_S + at).is_some(), is_good, "{at}");
        }
        assert_eq!(read_at(&token, NOW_S), Some(claims));
        let other = Timestamp::from_millis(NOW_S * 1000).into();
        assert_eq!(read::<Value>(b"another key for tests", &token, &other), None);
    }

    #[test]
    fn forged_and_malformed_jwts_are_refused() {
        let good = format!(r#"{{"iat":{NOW_S},"exp":{}}}"#, NOW_S + 60);
        assert!(read_at(&forged(HEADER, &good), NOW_S).is_some());
        assert!(read_at(&forged(r#"{"alg":"HS256","kid":"1"}"#, &good), NOW_S).is_some());
        for header in [
            r#"{"alg":"none"}"#, r#"{"alg":"hs256"}"#, r#"{"alg":"HS384"}"#,
            r#"{"alg":"RS256","typ":"JWT"}"#, r#"{"alg":["HS256"]}"#, r#"{"alg":"HS256","typ":"JWE"}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#, r#"{"typ":"JWT"}"#, "{}", "",
        ] {
            assert_eq!(read_at(&forged(header, &good), NOW_S), None, "{header}");
        }
        let exp = NOW_S + 60;
        for claims in [
            "{}".to_owned(),
            format!(r#"{{"iat":{NOW_S}}}"#),
            format!(r#"{{"exp":{exp}}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":"{exp}"}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":{exp}.5}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":null}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":[{exp}]}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":1e300}}"#),
            format!(r#"{{"iat":"{NOW_S}","exp":{exp}}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":{exp},"nbf":"{NOW_S}"}}"#),
            format!(r#"{{"iat":{NOW_S},"exp":{exp},"nbf":{}}}"#, NOW_S + 61),
            format!(r#"{{"iat":{NOW_S},"exp":{exp},"nbf":{}}}"#, i64::MAX),
            format!(r#"[{NOW_S},{exp}]"#).replace('[', "\"").replace(']', "\""),
            "null".to_owned(),
        ] {
            assert_eq!(read_at(&forged(HEADER, &claims), NOW_S), None, "{claims}");
        }
        let token = forged(HEADER, &good);
        let (unsigned, signature) = token.rsplit_once('.').expect("a signature");
        let zeros = "A".repeat(signature.len());
        for wrong in [
            String::new(),
            unsigned.to_owned(),
            format!("{unsigned}."),
            format!("{unsigned}.{zeros}"),
            format!("{unsigned}.{}", &signature[..signature.len() - 4]),
            format!("{token}A"),
            format!("{token}="),
            format!("{}.{token}", "A"),
            format!("{} {token}", ""),
            format!("{}.{}", "A".repeat(TOKEN_BYTES_MAX), token),
        ] {
            assert_eq!(read_at(&wrong, NOW_S), None, "{wrong}");
        }
    }
}
