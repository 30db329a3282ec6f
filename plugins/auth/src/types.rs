//! The records.

use atoll_kernel::{Id, Metadata, Timestamp, entity};

entity! {
    /// Somebody who can prove who they are, and the actors that they then are.
    pub struct AuthIdentity = "auth_identity" / "auth_identities", "authid" {
        /// How they prove it.
        pub provider: String,
        /// What the provider knows them by: an e-mail address, in lower case.
        pub entity_id: String,
        /// What is kept of the password.
        pub password_hash: String,
        /// Since when it is that password; tokens from before are good no more.
        pub password_since: Option<Timestamp>,
        /// Their actors: `user_id`, `customer_id`.
        pub app_metadata: Metadata,
    }
    hidden [password_hash]
}

entity! {
    /// Somebody who proved who they are, and is known by a cookie since.
    pub struct AuthSession = "auth_session" / "auth_sessions", "authses" {
        /// What is stored of the cookie.
        pub token_digest: String,
        /// The identity.
        pub auth_identity_id: Id<AuthIdentity>,
        /// As what they came: `user`, `customer`.
        pub actor_type: String,
        /// Until when it is good.
        pub expires_at: Timestamp,
    }
    hidden [token_digest]
}

impl AuthIdentity {
    /// The actor of this type that it stands for, by its id.
    pub fn actor(&self, actor_type: &str) -> Option<&str> {
        self.app_metadata.0.as_ref()?.get(&actor_key(actor_type))?.as_str()
    }

    /// Does it stand for any actor yet?
    pub fn has_actors(&self) -> bool {
        self.app_metadata.0.as_ref().is_some_and(|it| !it.is_empty())
    }
}

/// What the wire calls the id of an actor of this type.
pub(crate) fn actor_key(actor_type: &str) -> String {
    format!("{actor_type}_id")
}
