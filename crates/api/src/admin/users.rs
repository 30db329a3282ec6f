//! `/admin/users`

use atoll_kernel::{Actor, Call, Fault, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    Get "/admin/users" (Admin, LIST) => index;
    Get "/admin/users/me" (Admin, ONE) => me;
    Get "/admin/users/:id" (Admin, ONE) => retrieve;
}

static USER: Resource = Resource {
    entity: "user",
    one: "user",
    many: "users",
    fields: &[
        "id", "first_name", "last_name", "email", "avatar_url", "metadata", "created_at", "updated_at",
        "deleted_at",
    ],
    offer: None,
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("email"), any("first_name"), any("last_name"), date("created_at"), date("updated_at")],
    50,
);

/// Users are for users: a server that holds a secret key is none.
fn for_users(call: &Call) -> Result<&str, Fault> {
    match &call.pass.actor {
        Actor::User(id) => Ok(id),
        _ => Err(Fault::unauthorized()),
    }
}

async fn index(call: Call) -> Result<Reply, Fault> {
    for_users(&call)?;
    page(&USER, call, Vec::new())
}

async fn me(call: Call) -> Result<Reply, Fault> {
    let user = USER.find(&call.app.view(), &call.app.context(), for_users(&call)?, &call.params)?;
    user.ok_or_else(Fault::unauthorized)
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    for_users(&call)?;
    find(&USER, &call, |id| format!("User with id: {id} was not found"))
}
