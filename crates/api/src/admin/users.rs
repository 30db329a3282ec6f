//! `/admin/users`

use atoll_kernel::{Call, Fault, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    Get "/admin/users" (User, LIST) => index;
    Get "/admin/users/me" (User, ONE) => me;
    Get "/admin/users/:id" (User, ONE) => retrieve;
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

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&USER, call, Vec::new())
}

async fn me(call: Call) -> Result<Reply, Fault> {
    let user = USER.find(
        &call.app.view(),
        &call.app.context(),
        call.pass.actor.id(),
        call.params.fields.as_deref(),
    )?;
    user.ok_or_else(Fault::unauthorized)
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&USER, &call, |id| format!("User with id: {id} was not found"))
}
