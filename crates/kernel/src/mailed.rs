//! Tokens that are sent by mail, for instance to reset a password. The event holds the token without its
//! signature.
//!
//! The signature is made each time the event is delivered, also after a restart. So neither the database nor
//! a copy of it holds a token that is valid, and no event is lost when a process ends.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Ctx, Fault, Timestamp, jobs::Event, jwt};

/// Field of an event's data that holds an [`Unsigned`] token.
pub const UNSIGNED_TOKEN: &str = "unsigned_token";

/// A token without its signature. It opens nothing, and may be stored and sent in events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unsigned(String);

/// Claims that every such token has.
#[derive(Serialize, Deserialize)]
struct Claims<T> {
    /// The purpose that the token is valid for.
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    extra: T,
}

impl Unsigned {
    /// A token for `purpose` (the name of an event will do), valid for this time, with these claims. Two
    /// tokens with the same claims at the same time are the same.
    pub fn new(
        purpose: &str,
        extra: &impl Serialize,
        now: Timestamp,
        lifetime_s: i64,
    ) -> Result<Unsigned, Fault> {
        let iat = now.millis().div_euclid(1000);
        let claims = Claims { aud: purpose.to_owned(), iat, exp: iat + lifetime_s, extra };
        jwt::unsigned(&claims).map(Unsigned).map_err(Fault::unexpected)
    }
}

impl Ctx {
    /// Another key than that of session tokens, so that a mailed token cannot be used to log in.
    fn mail_key(&self) -> Vec<u8> {
        self.key_for("mailed tokens")
    }

    /// The signed token, to be sent. It must not be stored: store the unsigned one, and sign again.
    pub fn signed(&self, token: &Unsigned) -> String {
        jwt::signed(&self.mail_key(), &token.0)
    }

    /// The signed token of an event, for a subscriber that sends it; none if the event holds none, or if it
    /// has expired. It must not be stored, nor be the input or output of a saga step: pass the event, and
    /// call this again.
    pub fn token_of(&self, event: &Event) -> Option<String> {
        let unsigned = event.data.get(UNSIGNED_TOKEN).and_then(Value::as_str)?;
        let (key, token) = (self.mail_key(), Unsigned(unsigned.to_owned()));
        let token = jwt::signed(&key, &token.0);
        jwt::read::<Value>(&key, &token, &self.time()).map(|_| token)
    }

    /// The claims of a token that came back, if it is valid for `purpose`.
    pub fn read_mailed<T: DeserializeOwned>(&self, purpose: &str, token: &str) -> Option<T> {
        let claims: Claims<T> = jwt::read(&self.mail_key(), token, &self.time())?;
        (claims.aud == purpose).then_some(claims.extra)
    }
}
