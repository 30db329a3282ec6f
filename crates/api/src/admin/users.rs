//! `/admin/users`

use atoll_flows::user::{DELETE_USERS, UPDATE_USERS};
use atoll_kernel::{Body, Call, Fault, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page, remove_by, update_by},
    tables::{METADATA, ONE, any, date, list, text},
};

routes! {
    of USER;
    Get "/admin/users" (User, LIST) => index;
    Get "/admin/users/me" (User, ONE) => me;
    Get "/admin/users/:id" (User, ONE) => retrieve;
    Post "/admin/users/:id" (User, ONE, UPDATE) => update;
    Delete "/admin/users/:id" (User, ONE) => delete;
}

pub(crate) static USER: Resource = Resource {
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

const UPDATE: Body = &[&[text("first_name"), text("last_name"), text("avatar_url"), METADATA]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&USER, call, Vec::new())
}

async fn me(call: Call) -> Result<Reply, Fault> {
    let user = USER.find(&call.app.view(), &call.app.context(), call.pass.actor.id(), &call.params)?;
    user.ok_or_else(Fault::unauthorized)
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&USER, &call, not_found)
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&USER, call, &UPDATE_USERS).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "user", &DELETE_USERS).await
}

fn not_found(id: &str) -> String {
    format!("User with id: {id} was not found")
}
