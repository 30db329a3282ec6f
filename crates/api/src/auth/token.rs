//! The claims of login tokens (JWT).

use atoll_auth::AuthIdentity;
use atoll_kernel::{
    Ctx, Fault,
    serde_json::{Map, Value, json},
};
use serde::{Deserialize, Serialize};

/// Lifetime of a token, in seconds: a day, the default of the original.
const LIFETIME_S: i64 = 24 * 60 * 60;

/// Claims of a login token. Some are constant here, and exist for clients of the wire.
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
    /// Seal of the password with which the caller logged in: a new password makes the token invalid before it
    /// expires.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) seal: String,
    iat: i64,
    exp: i64,
}

impl Claims {
    /// The claims for this identity, as an actor of this type.
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
            seal: String::new(),
            iat,
            exp: iat + LIFETIME_S,
        }
    }
}

/// A login token for this identity, as an actor of this type.
pub fn token_for(ctx: &Ctx, identity: &AuthIdentity, actor_type: &str) -> Result<String, Fault> {
    ctx.sign(&Claims { seal: identity.login_seal(), ..Claims::of(ctx, identity, actor_type) })
}
