//! What tokens say, and who signed them.

use atoll_auth::AuthIdentity;
use atoll_kernel::{
    Ctx, Fault, Timestamp,
    serde_json::{self, Map, Value, json},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How long a token is good for, in seconds: the wire's default of a day.
const LIFETIME_S: i64 = 24 * 60 * 60;

/// What a token says of who logged in. Fields of the wire that are always the same here are there for its clients.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) actor_id: String,
    pub(crate) actor_type: String,
    pub(crate) auth_identity_id: String,
    #[serde(default)]
    auth_provider: String,
    #[serde(default)]
    mfa_enabled: bool,
    #[serde(default)]
    mfa_challenge_completed_at: Option<String>,
    app_metadata: Map<String, Value>,
    #[serde(default)]
    user_metadata: Map<String, Value>,
    iat: i64,
    exp: i64,
}

impl Claims {
    /// When it was signed, as far as it says: within that second, at its end, so that a token that was signed right
    /// after a password was changed is good.
    pub(crate) fn signed_at(&self) -> Timestamp {
        Timestamp::from_millis(self.iat * 1000 + 999)
    }

    /// What is said of this identity, who comes as an actor of this type.
    pub(crate) fn of(ctx: &Ctx, identity: &AuthIdentity, actor_type: &str) -> Claims {
        let iat = ctx.now().millis() / 1000;
        let actor_id = identity.actor(actor_type).unwrap_or_default().to_owned();
        let mut app_metadata = Map::new();
        if !actor_id.is_empty() {
            app_metadata.insert(format!("{actor_type}_id"), json!(actor_id));
        }
        Claims {
            actor_id,
            actor_type: actor_type.to_owned(),
            auth_identity_id: identity.id.to_string(),
            auth_provider: identity.provider.clone(),
            mfa_enabled: false,
            mfa_challenge_completed_at: None,
            app_metadata,
            user_metadata: Map::new(),
            iat,
            exp: iat + LIFETIME_S,
        }
    }
}

/// A token for this identity, who comes as an actor of this type.
pub fn token_for(ctx: &Ctx, identity: &AuthIdentity, actor_type: &str) -> Result<String, Fault> {
    sign(ctx, &Claims::of(ctx, identity, actor_type))
}

/// Signs what a token says.
pub(crate) fn sign(ctx: &Ctx, claims: &impl Serialize) -> Result<String, Fault> {
    let key = EncodingKey::from_secret(&ctx.config().jwt_secret);
    encode(&Header::new(Algorithm::HS256), claims, &key).map_err(Fault::unexpected)
}

/// What a token says, if we signed it and it is still good.
pub(crate) fn verify<T: DeserializeOwned>(ctx: &Ctx, token: &str) -> Option<T> {
    #[derive(Deserialize)]
    struct Until {
        exp: i64,
    }

    let mut validation = Validation::new(Algorithm::HS256);
    // The application's clock says what time it is, not the machine's.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(&ctx.config().jwt_secret);
    let said = decode::<Value>(token, &key, &validation).ok()?.claims;
    let Until { exp } = Until::deserialize(&said).ok()?;
    let is_good = exp > ctx.now().millis() / 1000;
    if is_good { serde_json::from_value(said).ok() } else { None }
}
