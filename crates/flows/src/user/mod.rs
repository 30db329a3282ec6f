//! Admin users.

use atoll_kernel::{Fault, Local, flow, serde_json::json};
use atoll_user::{PasswordHash, User, create_user};

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
        let created = users.iter().map(|it| create_user(tx, at, &it.email, &it.password));
        Ok(created.collect::<Result<Vec<_>, _>>()?)
    })?;
    let ids: Vec<&str> = created.iter().map(|it| &*it.id).collect();
    for id in &ids {
        flow.emit("user.created", json!({ "id": id }))?;
    }
    flow.hook("usersCreated", || json!({ "ids": ids }))?;
    Ok(created)
}
