//! Sessions: exchange a token for a cookie, which browsers send by themselves.

use std::time::Duration;

use atoll_auth::{
    AuthSession, BY_EXPIRY, SESSION_S, close_session, delete_sessions, find_session, open_session,
};
use atoll_kernel::{
    Actor, Ctx, Fault, Moment, StoreError, Write,
    data::View,
    http::{
        Answer, Call, Caller, Field, Head, Part, Reply, SESSION_COOKIE, Type, cookie, digest,
        header_names::SET_COOKIE, random_token, required,
    },
    job,
    jobs::{Tick, in_batches_before},
    limits::SESSIONS_EXPIRED_AT_ONCE_MAX,
    routes,
    serde_json::json,
};

use super::Claims;
use crate::{
    gate::identity_of,
    tables::{NOTHING, ONE, SUCCESS},
};

routes! {
    /// Opens a session: the answer sets a cookie for the identity of the token.
    Post "/auth/session" (Identity, ONE, NOTHING) => open: OPENED;
    /// Closes the session of the cookie.
    Delete "/auth/session" (Identity, ONE) => close: SUCCESS;
}

const OPENED: Answer = Answer::Object(&[Part::value(
    "user",
    Type::Object(CLAIMS),
    "Who is logged in: the claims of the token.",
)]);
const CLAIMS: &[Field] = &[
    required("actor_id", Type::Text).about("The id of the account; empty without one."),
    required("actor_type", Type::Text).about("The kind of actor: `user` or `customer`."),
    required("auth_identity_id", Type::Text).about("The id of the identity."),
    required("auth_provider", Type::Text).about("How it logged in: `emailpass`."),
    required("mfa_enabled", Type::Bool).about("Always false: there is no second factor."),
    required("mfa_challenge_completed_at", Type::Date).or_null().about("Always null."),
    required("app_metadata", Type::Record).about("The id of the account, as `user_id` or `customer_id`."),
    required("user_metadata", Type::Record).about("Always empty."),
    required("iat", Type::Number).about("When it was issued, in seconds since 1970."),
    required("exp", Type::Number).about("When it expires, in seconds since 1970."),
];

/// The digest of a cookie that is stored, so that the data alone opens no session.
fn stored(ctx: &Ctx, token: &str) -> String {
    digest(&format!("{}{token}", String::from_utf8_lossy(&ctx.config().cookie_secret)))
}

/// The session of a request's cookie, if the request comes from an allowed origin.
pub(crate) fn session_of(
    ctx: &Ctx,
    view: &View,
    caller: Caller<'_>,
) -> Result<Option<AuthSession>, StoreError> {
    match caller.session(&ctx.config().origins) {
        Some(token) => find_session(view, &stored(ctx, token), &ctx.time()),
        None => Ok(None),
    }
}

/// Sets the cookie: `HttpOnly`, and not sent with requests from other sites.
fn set(reply: Reply, app: &Ctx, head: &Head, value: &str, lives_s: i64) -> Reply {
    let secure = if app.config().proxies.is_secure(head) { "; Secure" } else { "" };
    let line = format!("{SESSION_COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={lives_s}{secure}");
    reply.with_header(SET_COOKIE, &line)
}

async fn open(call: Call) -> Result<Reply, Fault> {
    let login = call.pass.login.as_ref().ok_or_else(Fault::unauthorized)?;
    let identity = identity_of(&call.view, login)?.ok_or_else(Fault::unauthorized)?;
    let token = random_token().map_err(Fault::unexpected)?;
    let session = AuthSession {
        token_digest: stored(&call.app, &token),
        auth_identity_id: identity.id.clone(),
        actor_type: login.actor_type.clone(),
        seal: identity.login_seal(),
        ..AuthSession::default()
    };
    let open = move |tx: &mut dyn Write, at: &Moment| open_session(tx, at, session);
    let reply = Reply::json(&json!({ "user": Claims::of(&call.app, &identity, &login.actor_type) }));
    let head = call.head();
    drop(call.view);
    call.app.write(call.pass.actor.clone().or_system(), open).await?;
    Ok(set(reply, &call.app, &head, &token, SESSION_S))
}

async fn close(call: Call) -> Result<Reply, Fault> {
    let head = call.head();
    drop(call.view);
    if let Some(token) = cookie(&head, SESSION_COOKIE) {
        let stored = stored(&call.app, token);
        let close = move |tx: &mut dyn Write, at: &Moment| close_session(tx, at, &stored);
        call.app.write(call.pass.actor.clone().or_system(), close).await?;
    }
    Ok(set(Reply::json(&json!({ "success": true })), &call.app, &head, "", 0))
}

job! { "auth.forget-sessions" every Duration::from_secs(3600) => forget }

async fn forget(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let delete = |sessions: Vec<(String, String)>| {
        let ctx = ctx.clone();
        let ids: Vec<String> = sessions.into_iter().map(|(_, id)| id).collect();
        async move { ctx.write(Actor::System, move |tx, at| Ok(delete_sessions(tx, at, &ids)?)).await.map(drop) }
    };
    let end = ctx.now().plus_millis(1).to_string();
    in_batches_before("session", &ctx, &BY_EXPIRY, &end, SESSIONS_EXPIRED_AT_ONCE_MAX, delete).await
}
