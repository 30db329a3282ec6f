//! Admin routes of admin users: `/admin/users`.

use atoll_flows::user::{DELETE_USERS, UPDATE_USERS};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Params, Reply, Resource},
    routes,
};

use crate::{
    crud::crud,
    tables::{METADATA, ONE, any, date, list, text},
};

crud! {
    of USER at "/admin/users" for User;
    called "a user" / "users";
    not_found "User with id: {} was not found";
    page LIST;
    find ONE;
    update ONE, UPDATE by UPDATE_USERS;
    /// Users cannot delete themselves.
    delete "user" by DELETE_USERS;
}

routes! {
    of USER;
    /// Shows the user who asks.
    Get "/admin/users/me" (User, ONE) => me;
}

pub(crate) static USER: Resource = Resource {
    entity: "user",
    one: "user",
    many: "users",
    fields: &[
        "id", "first_name", "last_name", "email", "avatar_url", "metadata", "created_at", "updated_at",
        "deleted_at",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("email"), any("first_name"), any("last_name"), date("created_at"), date("updated_at")],
    50,
);

const UPDATE: Body = &[&[text("first_name"), text("last_name"), text("avatar_url"), METADATA]];

async fn me(call: Call) -> Result<Reply, Fault> {
    let user = USER.plan(&call).find(&call.view, call.pass.actor.id())?;
    user.ok_or_else(Fault::unauthorized)
}
