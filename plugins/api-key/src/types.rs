//! The record of an API key.

use atoll_kernel::{Now, Timestamp, data::ComputedFields, entity, words};

words! {
    /// Kind of an API key.
    pub enum ApiKeyKind {
        /// Identifies a storefront; not a secret.
        #[default]
        Publishable = "publishable",
        /// Authenticates a server, like a password.
        Secret = "secret",
    }
}

entity! {
    /// An API key.
    pub struct ApiKey = "api_key" / "api_keys", "apk" {
        /// The token of a publishable key; the digest of that of a secret key. The wire's `token` is
        /// computed.
        pub stored_token: String,
        /// Beginning and end of the token, by which people can distinguish keys.
        pub redacted: String,
        /// Display name, for admins.
        pub title: String,
        /// `publishable` or `secret`.
        pub r#type: ApiKeyKind,
        /// Always null: a request that reads writes nothing.
        pub last_used_at: Option<Timestamp>,
        /// Id of the actor who created it.
        pub created_by: String,
        /// Id of the actor who revoked it.
        pub revoked_by: Option<String>,
        /// From when on it is invalid; may be in the future.
        pub revoked_at: Option<Timestamp>,
        /// When the revocation was requested. If that is in the future, the clock was set back since, and the
        /// key is invalid nevertheless.
        pub revocation_asked_at: Option<Timestamp>,
    }
    search [title]
    hidden [stored_token, revocation_asked_at]
    computed [
        /// The token of a publishable key. Empty for a secret key, whose token only the answer shows that
        /// created it.
        token: String,
    ] by token
    patch ApiKeyPatch
}

/// A secret token is not shown again.
fn token(key: &ApiKey, shown: &mut ComputedFields<'_>) {
    shown.field("token", if key.r#type == ApiKeyKind::Secret { "" } else { &key.stored_token });
}

impl ApiKey {
    /// Is the key valid at this time?
    pub fn is_active(&self, now: &Now) -> bool {
        let was_asked = self.revocation_asked_at.is_none_or(|asked_at| now.has_reached(asked_at));
        self.revoked_at.is_none_or(|revoked_at| was_asked && !now.has_reached(revoked_at))
    }
}
