//! Logging in: an e-mail address and a password for a token.

use atoll_kernel::{
    Actor, Body, Call, Ctx, Fault, FaultKind, Reply, Type, optional, routes,
    serde_json::{Value, json},
};
use atoll_user::{USERS, User, find_by_email, verify_password};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::tables::{NOTHING, ONE};

/// How long a token is good for, in seconds: the wire's default of a day.
const TOKEN_LIFETIME_S: i64 = 24 * 60 * 60;

/// Passwords that are verified at a time. Each takes 19 MiB; whoever else logs in waits in line.
static VERIFYING: Semaphore = Semaphore::const_new(4);

/// The fields are checked by the handler: the wire answers 401 where they are wrong.
const CREDENTIALS: Body =
    &[&[optional("email", Type::Any).or_null(), optional("password", Type::Any).or_null()]];

routes! {
    Post "/auth/user/emailpass" (Public, ONE, CREDENTIALS) => log_in;
    Post "/auth/user/:provider" (Public, ONE, CREDENTIALS) => unknown_provider;
    Post "/auth/token/refresh" (Admin, ONE, NOTHING) => refresh;
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) actor_id: String,
    pub(crate) actor_type: String,
    auth_identity_id: String,
    app_metadata: Value,
    iat: i64,
    exp: i64,
}

/// A token for this user.
pub fn sign_in_token(ctx: &Ctx, user: &User) -> Result<String, Fault> {
    let iat = ctx.now().millis() / 1000;
    let claims = Claims {
        actor_id: user.id.to_string(),
        actor_type: "user".into(),
        auth_identity_id: user.id.to_string(),
        app_metadata: json!({ "user_id": user.id }),
        iat,
        exp: iat + TOKEN_LIFETIME_S,
    };
    let key = EncodingKey::from_secret(&ctx.config().jwt_secret);
    encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(Fault::unexpected)
}

/// What a token says, if we signed it and it is still good.
pub(crate) fn verify(ctx: &Ctx, token: &str) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::HS256);
    // The application's clock says what time it is, not the machine's.
    validation.validate_exp = false;
    let key = DecodingKey::from_secret(&ctx.config().jwt_secret);
    let claims = decode::<Claims>(token, &key, &validation).ok()?.claims;
    (claims.exp > ctx.now().millis() / 1000).then_some(claims)
}

async fn log_in(call: Call) -> Result<Reply, Fault> {
    let unauthorized = |message: &str| Fault::new(FaultKind::Unauthorized, message);
    let text = |name: &str| call.body().get(name).and_then(Value::as_str).map(str::to_owned);
    let password = text("password").ok_or_else(|| unauthorized("Password should be a string"))?;
    let email = text("email").ok_or_else(|| unauthorized("Email should be a string"))?;
    let user = find_by_email(&call.app.view(), &email)?;
    let hash = user.as_ref().and_then(|user| user.password_hash.clone());
    // Tens of milliseconds and of megabytes, on purpose: not on an async worker, and few at a time.
    let _turn = VERIFYING.acquire().await.map_err(Fault::unexpected)?;
    let fits = tokio::task::spawn_blocking(move || verify_password(hash.as_deref(), &password));
    match (fits.await.map_err(Fault::unexpected)?, user) {
        (true, Some(user)) => Ok(Reply::json(&json!({ "token": sign_in_token(&call.app, &user)? }))),
        _ => Err(unauthorized("Invalid email or password")),
    }
}

async fn unknown_provider(call: Call) -> Result<Reply, Fault> {
    let provider = call.path("provider");
    Err(Fault::not_allowed(format!("The actor type user is not allowed to use the auth provider {provider}")))
}

/// A new token for a user who has one that is still good.
async fn refresh(call: Call) -> Result<Reply, Fault> {
    let Actor::User(id) = &call.pass.actor else { return Err(Fault::unauthorized()) };
    let user = USERS.get(&call.app.view(), id)?.ok_or_else(Fault::unauthorized)?;
    Ok(Reply::json(&json!({ "token": sign_in_token(&call.app, &user)? })))
}
