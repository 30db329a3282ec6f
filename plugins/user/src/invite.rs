//! Invites of new admin users, by a mailed token. Only a digest of the token is stored.

use atoll_kernel::{Metadata, Moment, Read, StoreError, Write};

use crate::{BY_EMAIL, BY_TOKEN, Error, INVITES, Invite, USERS};

/// Lifetime of an invite in seconds: a day, as on the wire.
pub const INVITE_LIFETIME_S: i64 = 24 * 60 * 60;

/// Creates an invite. Errors: the address is that of a user or of another invite.
pub fn create_invite(
    tx: &mut dyn Write,
    at: &Moment,
    email: &str,
    metadata: Metadata,
    token_digest: &str,
) -> Result<Invite, Error> {
    let email = email.trim().to_lowercase();
    if USERS.table.id_by(tx, &BY_EMAIL, &[&email])?.is_some() {
        return Err(Error::IsUser(email));
    }
    let expires_at = at.now().plus_millis(INVITE_LIFETIME_S * 1000);
    let token_digest = token_digest.to_owned();
    Ok(INVITES.create(tx, at, Invite { email, metadata, token_digest, expires_at, ..Invite::default() })?)
}

/// Gives an invite a new token and expiry. The earlier token becomes invalid.
pub fn renew_invite(tx: &mut dyn Write, at: &Moment, id: &str, token_digest: &str) -> Result<Invite, Error> {
    Ok(INVITES.update(tx, at, id, |it: &mut Invite| {
        it.token_digest = token_digest.to_owned();
        it.expires_at = at.now().plus_millis(INVITE_LIFETIME_S * 1000);
    })?)
}

/// The invite with this digest, if it is valid. One that expires later than a lifetime from now was created
/// while the clock was ahead: it is invalid, and must be sent again.
pub fn find_invite(tx: &dyn Read, at: &Moment, token_digest: &str) -> Result<Option<Invite>, StoreError> {
    let is_good = |it: &Invite| {
        let begins = it.expires_at.plus_millis(-INVITE_LIFETIME_S * 1000);
        at.now() < it.expires_at && !begins.is_ahead_of(at.now())
    };
    Ok(INVITES.table.get_by(tx, &BY_TOKEN, &[token_digest])?.filter(is_good))
}
