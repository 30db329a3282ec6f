//! Forgotten passwords. Whoever mails follows the event `auth.password_reset`, which holds a token; with it a new
//! password is set, once.

use atoll_auth::{AuthIdentity, EMAILPASS, PasswordHash, check_password, find_identity, set_password};
use atoll_kernel::{
    Actor, Answer, Body, Call, Ctx, Fault, FaultKind, Local, Moment, Params, Reply, StatusCode, Type, Write,
    digest, header, header_names::CONTENT_TYPE, required, routes, serde_json::json,
};
use serde::{Deserialize, Serialize};

use super::{attempts::attempt, check_provider, hashing, sign, verify};
use crate::tables::{ONE, any};

routes! {
    Post "/auth/:actor/:provider/reset-password" (Public, ONE, IDENTIFIER) => ask: Answer::Heard;
    Post "/auth/:actor/:provider/update" (Public, TOKEN, PASSWORD) => update;
}

const IDENTIFIER: Body = &[&[required("identifier", Type::Text)]];
const TOKEN: Params = Params { own: &[any("token")], limit: None, strict: true };
const PASSWORD: Body = &[&[required("password", Type::Text)]];

/// How long a token is good for, in seconds.
const LIFETIME_S: i64 = 15 * 60;

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    entity_id: String,
    provider: String,
    actor_type: String,
    /// Of the password that is to be replaced: once it is, the token is good no more.
    seal: String,
    iat: i64,
    exp: i64,
}

fn seal(identity: &AuthIdentity) -> String {
    digest(&format!("reset {}", identity.password_hash))
}

fn token(ctx: &Ctx, identity: &AuthIdentity, actor_type: &str) -> Result<String, Fault> {
    let iat = ctx.now().millis() / 1000;
    let claims = Claims {
        entity_id: identity.entity_id.clone(),
        provider: EMAILPASS.into(),
        actor_type: actor_type.into(),
        seal: seal(identity),
        iat,
        exp: iat + LIFETIME_S,
    };
    sign(ctx, &claims)
}

/// Says that it was done, whoever asks: nobody learns here who is known.
async fn ask(call: Call) -> Result<Reply, Fault> {
    check_provider(&call)?;
    let actor_type = call.path("actor").to_owned();
    let email = call.body()["identifier"].as_str().unwrap_or_default().to_owned();
    attempt(&call.app, &call.head, "reset", &email)?;
    let ctx = call.app.clone();
    let tell = move |flow: &mut Local<'_>| {
        let found = find_identity(flow.tx, &email)?.filter(|it| it.actor(&actor_type).is_some());
        if let Some(identity) = found {
            let token = token(&ctx, &identity, &actor_type)?;
            let told = json!({
                "entity_id": identity.entity_id, "actor_type": actor_type, "token": token, "metadata": {},
            });
            flow.emit("auth.password_reset", told)?;
        }
        Ok(())
    };
    call.app.local(Actor::System, tell).await?;
    let reply = Reply::raw(b"Created".to_vec()).with_status(StatusCode::CREATED);
    Ok(reply.with_header(CONTENT_TYPE, "text/plain; charset=utf-8"))
}

/// Sets the new password.
async fn update(mut call: Call) -> Result<Reply, Fault> {
    check_provider(&call)?;
    let refused = || Fault::new(FaultKind::Unauthorized, "Invalid token");
    let given = call.params.take_one("token");
    let bearer = header(&call.head, "authorization").and_then(|it| it.strip_prefix("Bearer "));
    let token = given.or(bearer.map(str::to_owned)).ok_or_else(refused)?;
    let claims: Claims = verify(&call.app, &token).ok_or_else(refused)?;
    let fits = |identity: &AuthIdentity| claims.seal == seal(identity);
    if claims.actor_type != call.path("actor") {
        return Err(refused());
    }
    // Before the password is hashed, which is work.
    find_identity(&call.app.view(), &claims.entity_id)?.filter(fits).ok_or_else(refused)?;
    let password = call.body()["password"].as_str().unwrap_or_default().to_owned();
    check_password(&password)?;
    let hash = hashing(move || PasswordHash::new(&password)).await??;
    let (email, sealed) = (claims.entity_id.clone(), claims.seal.clone());
    let set = move |tx: &mut dyn Write, at: &Moment| {
        let identity = find_identity(tx, &email)?.filter(|it| seal(it) == sealed).ok_or_else(refused)?;
        Ok(set_password(tx, at, &identity.id, &hash)?)
    };
    call.app.write(Actor::System, set).await?;
    Ok(Reply::json(&json!({ "success": true })))
}
