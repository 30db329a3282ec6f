//! Invites of admin users: create, resend, delete, accept.

use atoll_auth::{AUTH_IDENTITIES, add_actor};
use atoll_kernel::{
    Ctx, Fault, Metadata, flow,
    flow::Local,
    http::{UNSIGNED_TOKEN, Unsigned, digest, random_token},
    serde_json::{Value, json},
};
use atoll_user::{
    INVITE_LIFETIME_S, INVITES, Invite, USER, User, create_invite, create_user, find_invite, renew_invite,
};

use crate::points::{Emails, INVITES_CREATED, Ids, OfId, Records, VALIDATE_ID, VALIDATE_IDS, VALIDATE_USERS};

/// An invite to create.
#[derive(Clone)]
pub struct NewInvite {
    /// E-mail address of the invited user.
    pub email: String,
    /// Free data.
    pub metadata: Metadata,
    /// The token of the invite, by [`invite_token`].
    pub token: Unsigned,
}

/// Makes the token of an invite, before the transaction. It is stored without its signature, so that the data
/// opens nothing.
pub fn invite_token(ctx: &Ctx, email: &str) -> Result<Unsigned, Fault> {
    // A random id, so that a resent invite gets another token.
    let claims = json!({ "email": email, "jti": random_token().map_err(Fault::unexpected)? });
    Unsigned::new("invite", &claims, ctx.now(), INVITE_LIFETIME_S)
}

flow! {
    /// Creates an invite. Event: `invite.created`, which holds the token.
    pub static CREATE_INVITES: Flow<NewInvite, Invite> = "create-invite-step" (create), hooks: &[&INVITES_CREATED];
}

fn create(flow: &mut Local<'_>, new: NewInvite) -> Result<Invite, Fault> {
    let NewInvite { email, metadata, token } = new;
    let stored = digest(&flow.ctx().signed(&token));
    let invite =
        flow.step("create-invite", |tx, at| Ok(create_invite(tx, at, &email, metadata, &stored)?))?;
    flow.emit("invite.created", event_data(&invite, &token))?;
    flow.hook(&INVITES_CREATED, || Records::one(&invite))?;
    Ok(invite)
}

flow! {
    /// Resends the invite with this id, with a new token. Event: `invite.resent`, which holds the token.
    pub static REFRESH_INVITES: Flow<(String, Unsigned), Invite> = "refresh-invite-tokens-workflow" (refresh),
        hooks: &[&VALIDATE_ID];
}

fn refresh(flow: &mut Local<'_>, (id, token): (String, Unsigned)) -> Result<Invite, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let stored = digest(&flow.ctx().signed(&token));
    let invite = flow.step("refresh-invite-token", |tx, at| Ok(renew_invite(tx, at, &id, &stored)?))?;
    flow.emit("invite.resent", event_data(&invite, &token))?;
    Ok(invite)
}

fn event_data(invite: &Invite, token: &Unsigned) -> Value {
    json!({ "id": invite.id, "email": invite.email, UNSIGNED_TOKEN: token })
}

flow! {
    /// Deletes invites. Event: `invite.deleted`, for each.
    pub static DELETE_INVITES: Flow<Vec<String>, ()> = "delete-invites-workflow" (delete), hooks: &[&VALIDATE_IDS];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-invites", |tx, at| {
        ids.iter().try_for_each(|id| INVITES.delete(tx, at, id).map(drop))?;
        Ok(())
    })?;
    ids.iter().try_for_each(|id| Ok(flow.emit("invite.deleted", json!({ "id": id }))?))
}

/// A registered identity that accepts an invite.
#[derive(Clone)]
pub struct Acceptance {
    /// Id of the auth identity.
    pub identity: String,
    /// Token of the invite.
    pub token: String,
    /// The user to create. An empty e-mail address is filled in from the invite.
    pub user: User,
}

flow! {
    /// Creates the user of an identity that registered with the invited address. An invite can be accepted
    /// once. Events: `invite.accepted`, `user.created`.
    pub static ACCEPT_INVITE: Flow<Acceptance, User> = "accept-invite-workflow" (accept), hooks: &[&VALIDATE_USERS];
}

fn accept(flow: &mut Local<'_>, Acceptance { identity, token, user }: Acceptance) -> Result<User, Fault> {
    let found = find_invite(flow.tx, flow.at, &digest(&token))?;
    let invite = found.ok_or_else(Fault::unauthorized)?;
    let is_other = !user.email.is_empty() && user.email.trim().to_lowercase() != invite.email;
    if is_other || AUTH_IDENTITIES.retrieve(flow.tx, &identity)?.entity_id != invite.email {
        return Err(Fault::not_allowed("The invite is for another e-mail address"));
    }
    flow.hook(&VALIDATE_USERS, || Emails { emails: vec![invite.email.clone()] })?;
    let user = flow.step("create-users-step", |tx, at| {
        Ok(create_user(tx, at, User { email: invite.email.clone(), ..user })?)
    })?;
    flow.step("set-auth-app-metadata", |tx, at| Ok(add_actor(tx, at, &identity, USER, &user.id)?))?;
    flow.step("delete-invites", |tx, at| Ok(INVITES.delete(tx, at, &invite.id).map(drop)?))?;
    flow.emit("invite.accepted", json!({ "id": invite.id }))?;
    flow.emit("user.created", json!({ "id": user.id }))?;
    Ok(user)
}
