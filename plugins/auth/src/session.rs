//! Sessions: those who logged in and are known by a cookie. They are stored, so that a restart ends none.

use atoll_kernel::{Direction, Fault, Moment, Read, RowError, Scan, StoreError, Timestamp, Write};

use crate::{AUTH_IDENTITIES, AUTH_SESSIONS, AuthSession, BY_DIGEST, BY_IDENTITY};

/// How long a session is good for, in seconds: the wire's ten hours.
pub const SESSION_S: i64 = 10 * 60 * 60;

/// The session with this digest, if it is still good. One of a moment ahead was opened while the clock was.
pub fn find_session(tx: &dyn Read, digest: &str, now: Timestamp) -> Result<Option<AuthSession>, StoreError> {
    Ok(AUTH_SESSIONS
        .table
        .get_by(tx, &BY_DIGEST, &[digest])?
        .filter(|it| now < it.expires_at && !it.created_at.is_ahead_of(now)))
}

/// Opens a session; it is good from now on. Errors: the password was changed since they came.
pub fn open_session(tx: &mut dyn Write, at: &Moment, session: AuthSession) -> Result<(), Fault> {
    let identity = AUTH_IDENTITIES.get(tx, &session.auth_identity_id)?;
    if identity.is_none_or(|it| it.login_seal() != session.seal) {
        return Err(Fault::unauthorized());
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
    for id in AUTH_SESSIONS.table.ids_by(tx, &BY_IDENTITY, &[identity])? {
        AUTH_SESSIONS.delete(tx, at, &id)?;
    }
    Ok(())
}

/// Forgets sessions that are good no more.
pub fn forget_sessions(tx: &mut dyn Write, at: &Moment) -> Result<(), RowError> {
    let mut old = Vec::new();
    AUTH_SESSIONS.table.scan(tx, None, Direction::Ascending, &mut |session| {
        if session.expires_at <= at.now() {
            old.push(session.id);
        }
        Ok(Scan::Continue(()))
    })?;
    for id in old {
        AUTH_SESSIONS.delete(tx, at, &id)?;
    }
    Ok(())
}
