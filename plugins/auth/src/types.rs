//! The records of identities and sessions.

use atoll_kernel::{Id, Metadata, Timestamp, entity, http::digest};

entity! {
    /// Login credentials, and the actors that they authenticate.
    pub struct AuthIdentity = "auth_identity" / "auth_identities", "authid" {
        /// Auth provider: `emailpass`.
        pub provider: String,
        /// Login name at the provider: an e-mail address, in lower case.
        pub entity_id: String,
        /// Hash of the password, in the PHC format.
        pub password_hash: String,
        /// When the password was set. Logins by an earlier one are recognised by their seal, and not by time.
        pub password_since: Option<Timestamp>,
        /// Ids of the actors: `user_id`, `customer_id`.
        pub app_metadata: Metadata,
    }
    hidden [password_hash]
}

entity! {
    /// A login session of a browser, identified by a cookie.
    pub struct AuthSession = "auth_session" / "auth_sessions", "authses" {
        /// Digest of the cookie.
        pub token_digest: String,
        /// The identity.
        pub auth_identity_id: Id<AuthIdentity>,
        /// Type of the actor: `user`, `customer`.
        pub actor_type: String,
        /// Seal of the password at the time of the login.
        pub seal: String,
        /// When it expires.
        pub expires_at: Timestamp,
    }
    hidden [token_digest, seal]
}

impl AuthIdentity {
    /// Id of the actor of this type.
    pub fn actor(&self, actor_type: &str) -> Option<&str> {
        self.app_metadata.0.as_ref()?.get(&actor_key(actor_type))?.as_str()
    }

    /// A digest that changes with the password, for one purpose. It reveals neither the password nor its
    /// hash.
    pub fn seal(&self, purpose: &str) -> String {
        digest(&format!("{purpose} {}", self.password_hash))
    }

    /// Is the password still that of this seal? Tokens from before there were seals are valid if the password
    /// was never changed.
    pub fn has_login_seal(&self, seal: &str) -> bool {
        if seal.is_empty() { self.password_since.is_none() } else { seal == self.login_seal() }
    }

    /// The seal for logins.
    pub fn login_seal(&self) -> String {
        self.seal("login")
    }

    /// Does it have an actor?
    pub fn has_actors(&self) -> bool {
        self.app_metadata.0.as_ref().is_some_and(|it| !it.is_empty())
    }
}

/// The wire's key for the id of an actor of this type: `user_id`.
pub(crate) fn actor_key(actor_type: &str) -> String {
    format!("{actor_type}_id")
}
