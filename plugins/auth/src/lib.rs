//! Authentication: identities, passwords and sessions. Authorisation follows from the actors of an identity:
//! a user, a customer, or a type that another module adds.

mod error;
mod password;
mod service;
mod session;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    module,
    serde_json::Value,
};

pub use error::Error;
pub use password::{PasswordHash, check_password, verify_password};
pub use service::{add_actor, find_identity, register, remove_actor, remove_login, set_password};
pub use session::{SESSION_S, close_session, delete_sessions, find_session, open_session};
pub use types::{AuthIdentity, AuthSession};

/// The auth provider for e-mail address and password.
pub const EMAILPASS: &str = "emailpass";

/// Unique per provider.
const BY_ENTITY: Index<AuthIdentity> =
    Index::unique("auth_identity.by_entity", &["provider", "entity_id"], |it, keys| {
        keys.add(&[&it.provider, &it.entity_id]);
    });
/// The identity of an actor, by the actor's id.
const BY_ACTOR: Index<AuthIdentity> =
    Index::unique("auth_identity.by_actor", &["app_metadata"], |it, keys| {
        it.app_metadata
            .0
            .iter()
            .flatten()
            .filter_map(|(_, id)| Value::as_str(id))
            .for_each(|id| keys.add(&[id]));
    });

pub(crate) const BY_DIGEST: Index<AuthSession> =
    Index::unique("auth_session.by_digest", &["token_digest"], |it, keys| keys.add(&[&it.token_digest]));
pub(crate) const BY_IDENTITY: Index<AuthSession> =
    Index::on("auth_session.by_identity", &["auth_identity_id"], |it, keys| {
        keys.add(&[&it.auth_identity_id])
    });

/// Sessions by the time of their expiry.
pub const BY_EXPIRY: Index<AuthSession> =
    Index::on("auth_session.by_expiry", &["expires_at", "id"], |it, keys| {
        keys.add(&[&it.expires_at.to_string()]);
    });

/// Login sessions of browsers.
pub static AUTH_SESSIONS: Service<AuthSession> = Service::new(&[BY_DIGEST, BY_IDENTITY, BY_EXPIRY]);
/// Created by [`register`].
pub static AUTH_IDENTITIES: Service<AuthIdentity> = Service::new(&[BY_ENTITY, BY_ACTOR]);

module! { Module {
    name: "auth",
    summary: "Authentication: identities, passwords and sessions",
    services: &[&AUTH_IDENTITIES, &AUTH_SESSIONS],
    ..Module::EMPTY
} }
