//! Tokens that are mailed, such as for a new password: an event holds what such a token says, without its
//! signature.
//!
//! The signature is made when the event is delivered, as often as it is, also after a restart. So neither the
//! database nor a copy of it holds a token that opens anything, and no event is lost with the memory of a
//! process.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Ctx, Event, Fault, Timestamp, jwt};

/// Where the data of an event holds an [`Unsigned`] token.
pub const UNSIGNED_TOKEN: &str = "unsigned_token";

/// What a token says that is to be mailed. It opens nothing, and may be stored and told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unsigned(String);

/// What every such token says.
#[derive(Serialize, Deserialize)]
struct Claims<T> {
    /// What it opens.
    aud: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    said: T,
}

impl Unsigned {
    /// A token that opens `purpose` (the name of an event will do) for so long, and says this besides. Two
    /// that say the same at the same time are the same.
    pub fn new(
        purpose: &str,
        said: &impl Serialize,
        now: Timestamp,
        lifetime_s: i64,
    ) -> Result<Unsigned, Fault> {
        let iat = now.millis().div_euclid(1000);
        let claims = Claims { aud: purpose.to_owned(), iat, exp: iat + lifetime_s, said };
        jwt::unsigned(&claims).map(Unsigned).map_err(Fault::unexpected)
    }
}

impl Ctx {
    /// Not the one that signs who logged in: what is mailed logs nobody in.
    fn mail_key(&self) -> Vec<u8> {
        jwt::key_for(&self.config().jwt_secret, "mailed tokens")
    }

    /// The token, as it is mailed. It must not be stored: the unsigned one may be, and this can be made
    /// again.
    pub fn signed(&self, token: &Unsigned) -> String {
        jwt::signed(&self.mail_key(), &token.0)
    }

    /// The token that the event tells of, for whoever mails it; none, where it tells of none, or where that
    /// is good no more. It must not be stored, nor given to a saga as input or answered by a step: give the
    /// event, and ask again.
    pub fn token_of(&self, event: &Event) -> Option<String> {
        let unsigned = event.data.get(UNSIGNED_TOKEN).and_then(Value::as_str)?;
        let (key, token) = (self.mail_key(), Unsigned(unsigned.to_owned()));
        let token = jwt::signed(&key, &token.0);
        jwt::read::<Value>(&key, &token, self.now()).map(|_| token)
    }

    /// What a token says that came back, if it opens `purpose` and is still good.
    pub fn read_mailed<T: DeserializeOwned>(&self, purpose: &str, token: &str) -> Option<T> {
        let claims: Claims<T> = jwt::read(&self.mail_key(), token, self.now())?;
        (claims.aud == purpose).then_some(claims.said)
    }
}
