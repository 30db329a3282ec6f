//! Flows on admin users: create, update, delete, invites.

mod invites;

use atoll_auth::{PasswordHash, add_actor, register, remove_actor};
use atoll_kernel::{Actor, Fault, Moment, Write, flow, flow::Local, serde_json::json};
use atoll_user::{USER, USERS, User, UserPatch, create_user};

use crate::points::{
    Emails, Ids, OfId, USERS_CREATED, USERS_UPDATED, VALIDATE_ID, VALIDATE_IDS, VALIDATE_USERS,
};

pub use invites::{
    ACCEPT_INVITE, Acceptance, CREATE_INVITES, DELETE_INVITES, NewInvite, REFRESH_INVITES, invite_token,
};

/// A user to create, who logs in with e-mail address and password.
#[derive(Clone)]
pub struct NewUser {
    /// E-mail address.
    pub email: String,
    /// Hash of the password. Hashing is slow on purpose, so it is done before the transaction.
    pub password: PasswordHash,
}

flow! {
    /// Creates admin users. Event: `user.created`, for each.
    pub static CREATE_USERS: Flow<Vec<NewUser>, Vec<User>> =
        "create-users-workflow" (create), hooks: &[&VALIDATE_USERS, &USERS_CREATED];
}

fn create(flow: &mut Local<'_>, users: Vec<NewUser>) -> Result<Vec<User>, Fault> {
    let emails = || users.iter().map(|it| it.email.clone()).collect::<Vec<_>>();
    flow.hook(&VALIDATE_USERS, || Emails { emails: emails() })?;
    let created = flow.step("create-users-step", |tx, at| {
        users.iter().map(|it| create_with_login(tx, at, it)).collect::<Result<Vec<_>, Fault>>()
    })?;
    let ids: Vec<&str> = created.iter().map(|it| &*it.id).collect();
    for id in &ids {
        flow.emit("user.created", json!({ "id": id }))?;
    }
    flow.hook(&USERS_CREATED, || Ids::of(&ids))?;
    Ok(created)
}

flow! {
    /// Creates the first admin user, and refuses if there is one. Event: `user.created`.
    pub static CREATE_FIRST_USER: Flow<NewUser, User> =
        "create-first-user" (create_first), hooks: &[&VALIDATE_USERS, &USERS_CREATED];
}

fn create_first(flow: &mut Local<'_>, user: NewUser) -> Result<User, Fault> {
    flow.step("check-no-users-step", |tx, _| match USERS.table.count(tx)? {
        0 => Ok(()),
        _ => Err(Fault::not_allowed("There is an admin already: log in, or ask for an invite")),
    })?;
    create(flow, vec![user])?.pop().ok_or_else(|| Fault::unexpected("no user was created"))
}

/// Creates a user, and the auth identity by which it logs in.
pub fn create_with_login(tx: &mut dyn Write, at: &Moment, input: &NewUser) -> Result<User, Fault> {
    let user = create_user(tx, at, User { email: input.email.clone(), ..User::default() })?;
    let identity = register(tx, at, &user.email, &input.password)?;
    add_actor(tx, at, &identity.id, USER, &user.id)?;
    Ok(user)
}

flow! {
    /// Updates a user. Event: `user.updated`.
    pub static UPDATE_USERS: Flow<(String, UserPatch), User> = "update-users-workflow" (update),
        hooks: &[&VALIDATE_ID, &USERS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, UserPatch)) -> Result<User, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let user = flow.step("update-users-step", |tx, at| Ok(USERS.update(tx, at, &id, patch)?))?;
    flow.emit("user.updated", json!({ "id": user.id }))?;
    flow.hook(&USERS_UPDATED, || Ids::of(&[&user.id]))?;
    Ok(user)
}

flow! {
    /// Deletes users, except the one who makes the request and, for other actors, the last one. Their logins
    /// have no account afterwards; API keys that they created belong to the shop, and stay valid. Event:
    /// `user.deleted`, for each.
    pub static DELETE_USERS: Flow<Vec<String>, ()> = "remove-user-account" (delete), hooks: &[&VALIDATE_IDS];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    flow.step("delete-users-step", |tx, at| {
        if let Actor::User(asking) = at.actor() {
            // The user may have been deleted since the request was authenticated.
            if !USERS.table.exists(tx, asking)? {
                return Err(Fault::unauthorized());
            }
            if ids.contains(asking) {
                return Err(Fault::not_allowed("A user cannot delete itself"));
            }
        }
        let mut is_any_deleted = false;
        for id in &ids {
            is_any_deleted |= USERS.soft_delete(tx, at, id)?.is_some();
            remove_actor(tx, at, USER, id)?;
        }
        // API keys and modules are no users: a user must remain who can log in.
        if is_any_deleted && USERS.table.count(tx)? == 0 {
            return Err(Fault::not_allowed("The last user cannot be deleted: nobody could log in any more"));
        }
        Ok(())
    })?;
    ids.iter().try_for_each(|id| Ok(flow.emit("user.deleted", json!({ "id": id }))?))
}
