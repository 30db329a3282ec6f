//! Admin users.

mod invites;

use atoll_auth::{PasswordHash, add_actor, register, remove_actor};
use atoll_kernel::{Actor, Fault, Local, Moment, Write, flow, serde_json::json};
use atoll_user::{USER, USERS, User, UserPatch, create_user};

pub use invites::{
    ACCEPT_INVITE, Acceptance, CREATE_INVITES, DELETE_INVITES, NewInvite, REFRESH_INVITES, invite_token,
};

/// Somebody who logs in with an address and a password.
#[derive(Clone)]
pub struct NewUser {
    /// The address.
    pub email: String,
    /// The hash of the password; it is slow on purpose, and so made before the transaction.
    pub password: PasswordHash,
}

flow! {
    /// Makes admin users. Event: `user.created`, for each.
    pub static CREATE_USERS: Flow<Vec<NewUser>, Vec<User>> =
        "create-users-workflow" (create), hooks: &["validate", "usersCreated"];
}

fn create(flow: &mut Local<'_>, users: Vec<NewUser>) -> Result<Vec<User>, Fault> {
    let emails = || users.iter().map(|it| it.email.as_str()).collect::<Vec<_>>();
    flow.hook("validate", || json!({ "emails": emails() }))?;
    let created = flow.step("create-users-step", |tx, at| {
        users.iter().map(|it| create_with_login(tx, at, it)).collect::<Result<Vec<_>, Fault>>()
    })?;
    let ids: Vec<&str> = created.iter().map(|it| &*it.id).collect();
    for id in &ids {
        flow.emit("user.created", json!({ "id": id }))?;
    }
    flow.hook("usersCreated", || json!({ "ids": ids }))?;
    Ok(created)
}

/// Makes a user, and the identity that logs in as it.
pub fn create_with_login(tx: &mut dyn Write, at: &Moment, input: &NewUser) -> Result<User, Fault> {
    let user = create_user(tx, at, User { email: input.email.clone(), ..User::default() })?;
    let identity = register(tx, at, &user.email, &input.password)?;
    add_actor(tx, at, &identity.id, USER, &user.id)?;
    Ok(user)
}

flow! {
    /// Changes a user. Event: `user.updated`.
    pub static UPDATE_USERS: Flow<(String, UserPatch), User> = "update-users-workflow" (update);
}

fn update(flow: &mut Local<'_>, (id, patch): (String, UserPatch)) -> Result<User, Fault> {
    let user = flow.step("update-users-step", |tx, at| Ok(USERS.update(tx, at, &id, patch)?))?;
    flow.emit("user.updated", json!({ "id": user.id }))?;
    Ok(user)
}

flow! {
    /// Removes users, but neither whoever asks nor, where no user asks, the last one. Whoever logs in as one
    /// of them is nobody from then on; the API keys that they made are the shop's, and go on. Event:
    /// `user.deleted`, for each.
    pub static DELETE_USERS: Flow<Vec<String>, ()> = "remove-user-account" (delete);
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.step("delete-users-step", |tx, at| {
        if let Actor::User(asking) = at.actor() {
            // Somebody else may have removed them since they were let in.
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
        // Keys and modules are no users: they must not leave a shop that nobody can log into.
        if is_any_deleted && USERS.table.count(tx)? == 0 {
            return Err(Fault::not_allowed("The last user cannot be deleted: nobody could log in any more"));
        }
        Ok(())
    })?;
    ids.iter().try_for_each(|id| Ok(flow.emit("user.deleted", json!({ "id": id }))?))
}
