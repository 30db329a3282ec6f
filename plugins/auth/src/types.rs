//! The records.

use atoll_kernel::{Metadata, entity};

entity! {
    /// Somebody who can prove who they are, and the actors that they then are.
    pub struct AuthIdentity = "auth_identity" / "auth_identities", "authid" {
        /// How they prove it.
        pub provider: String,
        /// What the provider knows them by: an e-mail address, in lower case.
        pub entity_id: String,
        /// What is kept of the password.
        pub password_hash: String,
        /// Their actors: `user_id`, `customer_id`.
        pub app_metadata: Metadata,
    }
    hidden [password_hash]
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
