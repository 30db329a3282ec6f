//! The records.

use atoll_kernel::{Id, Metadata, Timestamp, digest, entity};

entity! {
    /// Somebody who can prove who they are, and the actors that they then are.
    pub struct AuthIdentity = "auth_identity" / "auth_identities", "authid" {
        /// How they prove it.
        pub provider: String,
        /// What the provider knows them by: an e-mail address, in lower case.
        pub entity_id: String,
        /// What is kept of the password.
        pub password_hash: String,
        /// Since when it is that password. What was proved by the one before is told by its seal, and not by time.
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
        /// Of the password by which they came.
        pub seal: String,
        /// Until when it is good.
        pub expires_at: Timestamp,
    }
    hidden [token_digest, seal]
}

impl AuthIdentity {
    /// The actor of this type that it stands for, by its id.
    pub fn actor(&self, actor_type: &str) -> Option<&str> {
        self.app_metadata.0.as_ref()?.get(&actor_key(actor_type))?.as_str()
    }

    /// What tells its password from the one before, for this use. It tells nobody the password, or its hash.
    pub fn seal(&self, purpose: &str) -> String {
        digest(&format!("{purpose} {}", self.password_hash))
    }

    /// Is it still the password of this seal? What was given out before there were seals is good where the password was
    /// never changed.
    pub fn has_login_seal(&self, seal: &str) -> bool {
        if seal.is_empty() { self.password_since.is_none() } else { seal == self.login_seal() }
    }

    /// The seal of those who log in.
    pub fn login_seal(&self) -> String {
        self.seal("login")
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
