//! Invites: a link for somebody who is to become a user. What is stored of its token opens nothing.

use atoll_kernel::{Metadata, Moment, Read, StoreError, Write};

use crate::{BY_EMAIL, BY_TOKEN, Error, INVITES, Invite, USERS};

/// How long an invite is good for, in seconds: the wire's default of a day.
pub const INVITE_LIFETIME_S: i64 = 24 * 60 * 60;

/// Invites somebody. Errors: they are a user, or invited, already.
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

/// Gives an invite another token, and a day from now on. The old token is good no more.
pub fn renew_invite(tx: &mut dyn Write, at: &Moment, id: &str, token_digest: &str) -> Result<Invite, Error> {
    Ok(INVITES.update(tx, at, id, |it: &mut Invite| {
        it.token_digest = token_digest.to_owned();
        it.expires_at = at.now().plus_millis(INVITE_LIFETIME_S * 1000);
    })?)
}

/// The invite with this digest, if it is still good. One that is good for longer than any was made while the clock was
/// ahead, and must be sent again.
pub fn find_invite(tx: &dyn Read, at: &Moment, token_digest: &str) -> Result<Option<Invite>, StoreError> {
    let is_good = |it: &Invite| {
        let begins = it.expires_at.plus_millis(-INVITE_LIFETIME_S * 1000);
        at.now() < it.expires_at && !begins.is_ahead_of(at.now())
    };
    Ok(INVITES.table.get_by(tx, &BY_TOKEN, &[token_digest])?.filter(is_good))
}
