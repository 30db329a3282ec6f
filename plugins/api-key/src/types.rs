//! The records.

use atoll_kernel::{Timestamp, entity, serde_json::Value, words};

words! {
    /// What a key is for.
    pub enum ApiKeyKind {
        /// It names a storefront; everybody may see it.
        #[default]
        Publishable = "publishable",
        /// It is as good as a password.
        Secret = "secret",
    }
}

entity! {
    /// A key.
    pub struct ApiKey = "api_key" / "api_keys", "apk" {
        /// The token of a publishable key; of a secret key, the digest of it. The wire's `token` is computed.
        pub stored_token: String,
        /// The beginning and the end of the token, for people to tell keys apart.
        pub redacted: String,
        /// What admins call it.
        pub title: String,
        /// What it is for.
        pub r#type: ApiKeyKind,
        /// When it was last used, if that was noted.
        pub last_used_at: Option<Timestamp>,
        /// Who made it, by id.
        pub created_by: String,
        /// Who revoked it, by id.
        pub revoked_by: Option<String>,
        /// From when on it is worth nothing.
        pub revoked_at: Option<Timestamp>,
        /// When that was asked for. Where it lies ahead, the clock was, and the key is worth nothing all the same.
        pub revocation_asked_at: Option<Timestamp>,
    }
    search [title]
    hidden [stored_token, revocation_asked_at]
    computed [token] by token
    patch ApiKeyPatch
}

/// A secret is not shown again.
fn token(key: &ApiKey, visit: &mut dyn FnMut(&'static str, Value)) {
    let shown = if key.r#type == ApiKeyKind::Secret { "" } else { &key.stored_token };
    visit("token", shown.into());
}

impl ApiKey {
    /// Does it open anything at this time?
    pub fn is_active(&self, now: Timestamp) -> bool {
        let was_asked = self.revocation_asked_at.is_none_or(|asked_at| asked_at <= now);
        self.revoked_at.is_none_or(|revoked_at| was_asked && revoked_at > now)
    }
}
