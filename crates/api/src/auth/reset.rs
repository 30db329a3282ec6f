//! Password reset. A subscriber of `auth.password_reset` mails the token
//! ([`token_of`](atoll_kernel::Ctx::token_of)); with it the password can be set once.

use atoll_auth::{AuthIdentity, EMAILPASS, PasswordHash, check_password, find_identity, set_password};
use atoll_kernel::{
    Actor, Fault, FaultKind, Moment, Write,
    data::next_number,
    events,
    flow::Local,
    http::{
        Answer, Body, Call, Params, Reply, StatusCode, Type, UNSIGNED_TOKEN, Unsigned, header,
        header_names::CONTENT_TYPE, required,
    },
    routes,
    serde_json::json,
};
use serde::{Deserialize, Serialize};

use super::{
    attempts::{Attempt, Hashing},
    check_provider,
};
use crate::tables::{ONE, SUCCESS, any};

routes! {
    /// Asks for a token to reset a password. The token goes to the subscribers of `auth.password_reset`,
    /// which mail it; the answer is the same for unknown addresses.
    Post "/auth/:actor/:provider/reset-password" (Public, ONE, IDENTIFIER) => ask: Answer::Created;
    /// Sets a new password, with the token that was mailed. The token is valid once, and for 15 minutes.
    Post "/auth/:actor/:provider/update" (Public, TOKEN, PASSWORD) => update: SUCCESS;
}

const IDENTIFIER: Body = &[&[required("identifier", Type::Text).about("The e-mail address.")]];
const TOKEN: Params = Params {
    own: &[any("token").about("The token that was mailed; it may come as a bearer token instead.")],
    limit: None,
    strict: true,
};
const PASSWORD: Body = &[&[required("password", Type::Text).about("The new password.")]];

/// The event, and the purpose of its token.
const RESET: &str = "auth.password_reset";

events! { RESET }

/// Lifetime of a token, in seconds.
const LIFETIME_S: i64 = 15 * 60;

/// A sequence that each request increments, so that it writes, and takes as long, whether the address is
/// known or not.
const ASKED: &str = "auth.password_reset";

/// Claims of the token.
#[derive(Serialize, Deserialize)]
struct Claims {
    entity_id: String,
    provider: String,
    actor_type: String,
    /// Seal of the password that is to be replaced: a new password makes the token invalid.
    seal: String,
}

impl Claims {
    fn of(identity: &AuthIdentity, actor_type: &str) -> Claims {
        Claims {
            entity_id: identity.entity_id.clone(),
            provider: EMAILPASS.into(),
            actor_type: actor_type.into(),
            seal: identity.seal("reset"),
        }
    }
}

/// Always answers 201, and takes the same time, so that the answer does not reveal whether the address is
/// known.
async fn ask(call: Call) -> Result<Reply, Fault> {
    check_provider(&call)?;
    let actor_type = call.path("actor").to_owned();
    let email = call.body()["identifier"].as_str().unwrap_or_default().to_owned();
    Attempt::begin(&call.app, &call.head(), "reset", &email)?;
    let tell = move |flow: &mut Local<'_>| {
        next_number(flow.tx, ASKED)?;
        let found = find_identity(flow.tx, &email)?.filter(|it| it.actor(&actor_type).is_some());
        if let Some(identity) = found {
            let claims = Claims::of(&identity, &actor_type);
            let token = Unsigned::new(RESET, &claims, flow.at.now(), LIFETIME_S)?;
            let data = json!({
                "entity_id": identity.entity_id, "actor_type": actor_type, "metadata": {}, UNSIGNED_TOKEN: token,
            });
            flow.emit(RESET, data)?;
        }
        Ok(())
    };
    drop(call.view);
    call.app.local(Actor::System, tell).await?;
    let reply = Reply::raw(b"Created".to_vec()).with_status(StatusCode::CREATED);
    Ok(reply.with_header(CONTENT_TYPE, "text/plain; charset=utf-8"))
}

/// Sets the new password.
async fn update(mut call: Call) -> Result<Reply, Fault> {
    check_provider(&call)?;
    let refused = || Fault::new(FaultKind::Unauthorized, "Invalid token");
    let (given, head) = (call.params.take_one("token")?, call.head());
    let bearer = header(&head, "authorization").and_then(|it| it.strip_prefix("Bearer "));
    let token = given.or(bearer.map(str::to_owned)).ok_or_else(refused)?;
    let claims: Claims = call.app.read_mailed(RESET, &token).ok_or_else(refused)?;
    let fits = |identity: &AuthIdentity| claims.seal == identity.seal("reset");
    if claims.actor_type != call.path("actor") {
        return Err(refused());
    }
    // Before the password is hashed, which is expensive.
    find_identity(&call.view, &claims.entity_id)?.filter(fits).ok_or_else(refused)?;
    let password = call.body()["password"].as_str().unwrap_or_default().to_owned();
    check_password(&password)?;
    drop(call.view);
    let hash = Hashing::enter(&call.app, &head)?.run(move || PasswordHash::new(&password)).await??;
    let (email, sealed) = (claims.entity_id.clone(), claims.seal.clone());
    let set = move |tx: &mut dyn Write, at: &Moment| {
        let identity =
            find_identity(tx, &email)?.filter(|it| it.seal("reset") == sealed).ok_or_else(refused)?;
        Ok(set_password(tx, at, &identity.id, &hash)?)
    };
    call.app.write(Actor::System, set).await?;
    Ok(Reply::json(&json!({ "success": true })))
}
