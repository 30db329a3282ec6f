//! How identities come, are found, and get their actors.

use atoll_kernel::{Moment, Read, RowError, StoreError, Write, limits::EMAIL_CHARS_MAX};

use crate::{
    AUTH_IDENTITIES, AuthIdentity, BY_ACTOR, BY_ENTITY, EMAILPASS, Error, PasswordHash,
    session::close_sessions, types::actor_key,
};

/// Addresses are compared without regard to case and to space around them.
fn entity_id(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The identity that logs in with this address.
pub fn find_identity(tx: &dyn Read, email: &str) -> Result<Option<AuthIdentity>, StoreError> {
    AUTH_IDENTITIES.table.get_by(tx, &BY_ENTITY, &[EMAILPASS, &entity_id(email)])
}

/// Makes an identity that logs in with this address and password. One that stands for nobody yet gives way, and with
/// it whatever was handed out for it: whoever made it never became anybody.
pub fn register(
    tx: &mut dyn Write,
    at: &Moment,
    email: &str,
    password: &PasswordHash,
) -> Result<AuthIdentity, Error> {
    if entity_id(email).chars().count() > EMAIL_CHARS_MAX {
        return Err(Error::EmailLength);
    }
    if let Some(there) = find_identity(tx, email)? {
        if there.has_actors() {
            return Err(Error::Taken);
        }
        AUTH_IDENTITIES.delete(tx, at, &there.id)?;
    }
    let identity = AuthIdentity {
        provider: EMAILPASS.into(),
        entity_id: entity_id(email),
        password_hash: password.as_str().to_owned(),
        ..AuthIdentity::default()
    };
    Ok(AUTH_IDENTITIES.create(tx, at, identity)?)
}

/// Gives an identity another password. Whoever is logged in by the old one is so no longer.
pub fn set_password(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    password: &PasswordHash,
) -> Result<AuthIdentity, Error> {
    close_sessions(tx, at, id)?;
    Ok(AUTH_IDENTITIES.update(tx, at, id, |it: &mut AuthIdentity| {
        it.password_hash = password.as_str().to_owned();
        it.password_since = Some(at.now());
    })?)
}

/// Makes the identity of this id stand for an actor.
pub fn add_actor(
    tx: &mut dyn Write,
    at: &Moment,
    id: &str,
    actor_type: &str,
    actor_id: &str,
) -> Result<AuthIdentity, Error> {
    let key = actor_key(actor_type);
    if AUTH_IDENTITIES.retrieve(tx, id)?.actor(actor_type).is_some() {
        return Err(Error::HasActor(key));
    }
    Ok(AUTH_IDENTITIES.update(tx, at, id, |it: &mut AuthIdentity| {
        it.app_metadata.0.get_or_insert_default().insert(key, actor_id.into());
    })?)
}

/// An actor is gone: nobody stands for it any more.
pub fn remove_actor(
    tx: &mut dyn Write,
    at: &Moment,
    actor_type: &str,
    actor_id: &str,
) -> Result<(), RowError> {
    if let Some(identity) = AUTH_IDENTITIES.table.get_by(tx, &BY_ACTOR, &[actor_id])? {
        AUTH_IDENTITIES.update(tx, at, &identity.id, |it: &mut AuthIdentity| {
            it.app_metadata.0.get_or_insert_default().remove(&actor_key(actor_type));
        })?;
    }
    Ok(())
}
