//! Admin routes of invites of admin users: `/admin/invites`.

use atoll_flows::user::{
    ACCEPT_INVITE, Acceptance, CREATE_INVITES, DELETE_INVITES, NewInvite, REFRESH_INVITES, invite_token,
};
use atoll_kernel::{
    Fault, Metadata,
    http::{Answer, Body, Call, Field, Params, Reply, Resource, Type, optional, required},
    routes,
};
use atoll_user::{INVITES, User};
use serde::Deserialize;

use crate::{
    admin::users::USER,
    reply::{find, page, perform_as, perform_secretly, remove_by},
    tables::{METADATA, NOTHING, ONE, any, date, list, text},
};

routes! {
    of INVITE;
    /// Lists the invites.
    Get "/admin/invites" (Admin, LIST) => index;
    /// Invites a person to become an admin user. The answer is the only one that shows the token; it is valid
    /// for a day, and is accepted once.
    Post "/admin/invites" (Admin, ONE, CREATE) => create: WITH_TOKEN;
    /// Accepts an invite: the identity that asks becomes an admin user. It must be registered with the
    /// invited address.
    Post "/admin/invites/accept" (Identity, TOKEN, ACCEPT) => accept: Answer::One(&USER);
    /// Shows an invite, without its token.
    Get "/admin/invites/:id" (Admin, ONE) => retrieve;
    /// Deletes an invite. Its token becomes invalid.
    Delete "/admin/invites/:id" (Admin, ONE) => delete;
    /// Renews an invite: it gets a new token, which this answer alone shows, and is valid for another day.
    Post "/admin/invites/:id/resend" (Admin, ONE, NOTHING) => resend: WITH_TOKEN;
}

static INVITE: Resource = Resource {
    entity: "invite",
    one: "invite",
    many: "invites",
    fields: &["id", "email", "accepted", "expires_at", "metadata", "created_at", "updated_at"],
    store_fields: None,
    renamed: &[],
};

const WITH_TOKEN: Answer = Answer::OneSecret(&INVITE, &SECRET);
const SECRET: Field = required("token", Type::Text).about("The token to accept the invite with.");
const LIST: Params =
    list(&[any("id"), any("email"), date("created_at"), date("updated_at"), date("deleted_at")], 15);
const CREATE: Body = &[&[required("email", Type::Email), METADATA]];
const TOKEN: Params =
    Params { own: &[any("token").about("The token of the invite. Required.")], limit: None, strict: true };
const ACCEPT: Body = &[&[optional("email", Type::Email).or_null(), text("first_name"), text("last_name")]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&INVITE, &call, Vec::new())
}

/// The body of a new invite.
#[derive(Deserialize)]
struct Input {
    email: String,
    #[serde(default)]
    metadata: Metadata,
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let Input { email, metadata } = call.read()?;
    let (ctx, token) = (call.app.clone(), invite_token(&call.app, &email)?);
    let new = NewInvite { email, metadata, token: token.clone() };
    let secret = ctx.signed(&token);
    perform_secretly(&INVITE, call, "token", secret, move |it| it.run(&CREATE_INVITES, new)).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&INVITE, &call, not_found)
}

async fn resend(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let email = INVITES.get(&call.view, &id)?.map(|it| it.email).unwrap_or_default();
    let (ctx, token) = (call.app.clone(), invite_token(&call.app, &email)?);
    let again = (id, token.clone());
    let secret = ctx.signed(&token);
    perform_secretly(&INVITE, call, "token", secret, move |it| it.run(&REFRESH_INVITES, again)).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "invite", &DELETE_INVITES).await
}

/// Creates an admin user from an identity that registered with the invited address.
async fn accept(mut call: Call) -> Result<Reply, Fault> {
    let login = call.pass.login.as_ref().ok_or_else(Fault::unauthorized)?;
    if !login.actor_id.is_empty() {
        return Err(Fault::invalid("The user is already authenticated and cannot accept an invite."));
    }
    let identity = login.identity.clone();
    let token = call.params.take_one("token")?;
    let token = token.ok_or_else(Fault::unauthorized)?;
    let text = |name: &str| call.body()[name].as_str().map(str::to_owned);
    let user = User {
        email: text("email").unwrap_or_default(),
        first_name: text("first_name"),
        last_name: text("last_name"),
        ..User::default()
    };
    let input = Acceptance { identity, token, user };
    // The identity has no account yet, so the transaction runs on behalf of the shop.
    call.pass.actor = call.pass.actor.or_system();
    let plan = USER.plan(&call).root_unconfined();
    perform_as(&plan, call, move |it| it.run(&ACCEPT_INVITE, input)).await
}

fn not_found(id: &str) -> String {
    format!("Invite with id: {id} was not found")
}
