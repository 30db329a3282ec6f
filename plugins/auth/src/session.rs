//! Login sessions: browsers that are authenticated by a cookie. They are stored, so that they survive a
//! restart.

use atoll_kernel::{
    Fault, Moment, Now, Read, StoreError, Write,
    data::{Direction, RowError, Scan},
    limits::SESSIONS_PER_IDENTITY_MAX,
};

use crate::{AUTH_IDENTITIES, AUTH_SESSIONS, AuthSession, BY_DIGEST, BY_IDENTITY};

/// Lifetime of a session in seconds: ten hours, as on the wire.
pub const SESSION_S: i64 = 10 * 60 * 60;

/// The session with this digest, if it is valid. One from the future was opened while the clock was ahead:
/// invalid.
pub fn find_session(tx: &dyn Read, digest: &str, now: &Now) -> Result<Option<AuthSession>, StoreError> {
    Ok(AUTH_SESSIONS
        .table
        .get_by(tx, &BY_DIGEST, &[digest])?
        .filter(|it| !now.has_reached(it.expires_at) && !now.is_behind(it.created_at)))
}

/// Opens a session, which is valid from now on. Of [`SESSIONS_PER_IDENTITY_MAX`] the oldest is closed.
/// Errors: the password was changed after the login.
pub fn open_session(tx: &mut dyn Write, at: &Moment, session: AuthSession) -> Result<(), Fault> {
    let identity = AUTH_IDENTITIES.get(tx, &session.auth_identity_id)?;
    if identity.is_none_or(|it| it.login_seal() != session.seal) {
        return Err(Fault::unauthorized());
    }
    let mut others = Vec::new();
    BY_IDENTITY.scan(tx, &[&session.auth_identity_id], None, Direction::Ascending, &mut |id| {
        others.push(id.to_owned());
        Ok(if others.len() < SESSIONS_PER_IDENTITY_MAX { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    if others.len() >= SESSIONS_PER_IDENTITY_MAX {
        // Ids are in the order of time.
        delete_sessions(tx, at, &others[..1])?;
    }
    let expires_at = at.now().plus_millis(SESSION_S * 1000);
    AUTH_SESSIONS.create(tx, at, AuthSession { expires_at, ..session })?;
    Ok(())
}

/// Closes the session with this digest.
pub fn close_session(tx: &mut dyn Write, at: &Moment, digest: &str) -> Result<(), Fault> {
    if let Some(id) = AUTH_SESSIONS.table.id_by(tx, &BY_DIGEST, &[digest])? {
        AUTH_SESSIONS.delete(tx, at, &id)?;
    }
    Ok(())
}

/// Closes all sessions of an identity.
pub(crate) fn close_sessions(tx: &mut dyn Write, at: &Moment, identity: &str) -> Result<(), RowError> {
    let ids = AUTH_SESSIONS.table.ids_by(tx, &BY_IDENTITY, &[identity])?;
    delete_sessions(tx, at, &ids)
}

/// Deletes sessions. Unknown ids are ignored.
pub fn delete_sessions(tx: &mut dyn Write, at: &Moment, ids: &[String]) -> Result<(), RowError> {
    ids.iter().try_for_each(|id| AUTH_SESSIONS.delete(tx, at, id).map(drop))
}
