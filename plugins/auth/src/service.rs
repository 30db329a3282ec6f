//! Registering and finding identities, changing passwords, adding and removing actors.

use atoll_kernel::{Moment, Read, StoreError, Write, data::RowError, limits::EMAIL_CHARS_MAX};

use crate::{
    AUTH_IDENTITIES, AuthIdentity, BY_ACTOR, BY_ENTITY, EMAILPASS, Error, PasswordHash,
    session::close_sessions, types::actor_key,
};

/// E-mail addresses are compared without case and surrounding white space.
fn entity_id(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The identity with this e-mail address.
pub fn find_identity(tx: &dyn Read, email: &str) -> Result<Option<AuthIdentity>, StoreError> {
    AUTH_IDENTITIES.table.get_by(tx, &BY_ENTITY, &[EMAILPASS, &entity_id(email)])
}

/// Creates an identity with this e-mail address and password. An existing identity without actors is
/// replaced, and its tokens and sessions with it: that registration was never completed.
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

/// Changes the password of an identity. Logins by the old one become invalid.
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

/// Adds an actor to the identity of this id.
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

/// Removes a deleted actor from its identity, and the identity, with its sessions, if that has no other one.
pub fn remove_login(
    tx: &mut dyn Write,
    at: &Moment,
    actor_type: &str,
    actor_id: &str,
) -> Result<(), RowError> {
    let Some(identity) = AUTH_IDENTITIES.table.get_by(tx, &BY_ACTOR, &[actor_id])? else { return Ok(()) };
    remove_actor(tx, at, actor_type, actor_id)?;
    if !AUTH_IDENTITIES.retrieve(tx, &identity.id)?.has_actors() {
        close_sessions(tx, at, &identity.id)?;
        AUTH_IDENTITIES.delete(tx, at, &identity.id)?;
    }
    Ok(())
}

/// Removes a deleted actor from its identity.
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
