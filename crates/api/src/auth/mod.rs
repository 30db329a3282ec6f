//! Authentication: registration and login with e-mail address and password (`emailpass`), and token refresh.

mod attempts;
mod reset;
mod session;
mod token;

use atoll_auth::{EMAILPASS, PasswordHash, check_password, find_identity, register, verify_password};
use atoll_kernel::{
    Actor, Fault, FaultKind,
    http::{Answer, Body, Call, Part, Reply, Type, optional},
    routes,
    serde_json::{Value, json},
};

use self::attempts::{Attempt, Hashing};
use crate::{
    gate::identity_of,
    tables::{NOTHING, ONE},
};

pub(crate) use session::session_of;
pub(crate) use token::Claims;
pub use token::token_for;

/// Not checked by the schema: on the wire invalid credentials are a 401, not a 400.
const CREDENTIALS: Body = &[&[
    optional("email", Type::Any).or_null().about("The e-mail address, a string."),
    optional("password", Type::Any).or_null().about("The password, a string."),
]];

const NEW_TOKEN: Answer = Answer::Object(&[Part::value(
    "token",
    Type::Text,
    "The token (JWT), valid for a day, to send as `Bearer`.",
)]);

routes! {
    /// Logs in by e-mail address and password, and answers with a token. Attempts are limited per account and
    /// network.
    Post "/auth/:actor/:provider" (Public, ONE, CREDENTIALS) => log_in: NEW_TOKEN;
    /// Registers an identity, and answers with a token. It has no account yet: a customer creates one by
    /// `POST /store/customers`, a user by accepting an invite.
    Post "/auth/:actor/:provider/register" (Public, ONE, CREDENTIALS) => sign_up: NEW_TOKEN;
    /// Answers with a new token for the identity of a valid one.
    Post "/auth/token/refresh" (Identity, ONE, NOTHING) => refresh: NEW_TOKEN;
}

fn unauthorized(message: &str) -> Fault {
    Fault::new(FaultKind::Unauthorized, message)
}

/// Any actor type may use `emailpass`, and no other provider exists.
fn check_provider(call: &Call) -> Result<(), Fault> {
    match (call.path("actor"), call.path("provider")) {
        (_, EMAILPASS) => Ok(()),
        (actor, provider) => Err(Fault::not_allowed(format!(
            "The actor type {actor} is not allowed to use the auth provider {provider}"
        ))),
    }
}

/// E-mail address and password in the body.
fn credentials(call: &Call) -> Result<(String, String), Fault> {
    let text = |name: &str| call.body().get(name).and_then(Value::as_str).map(str::to_owned);
    let password = text("password").ok_or_else(|| unauthorized("Password should be a string"))?;
    let email = text("email").ok_or_else(|| unauthorized("Email should be a string"))?;
    Ok((email, password))
}

async fn log_in(call: Call) -> Result<Reply, Fault> {
    check_provider(&call)?;
    let (email, password) = credentials(&call)?;
    // Before the attempt is counted: a login that was refused because the queue is full was no attempt.
    let hashing = Hashing::enter(&call.app, &call.head())?;
    let attempt = Attempt::begin(&call.app, &call.head(), "login", &email)?;
    let identity = find_identity(&call.view, &email)?;
    let actor_type = call.path("actor").to_owned();
    drop(call.view);
    let hash = identity.as_ref().map(|it| it.password_hash.clone());
    let fits = hashing.run(move || verify_password(hash.as_deref(), &password)).await?;
    match identity.filter(|_| fits) {
        Some(identity) => {
            attempt.succeeded();
            Ok(Reply::json(&json!({ "token": token_for(&call.app, &identity, &actor_type)? })))
        }
        None => Err(unauthorized("Invalid email or password")),
    }
}

/// Creates an auth identity without an account.
async fn sign_up(call: Call) -> Result<Reply, Fault> {
    check_provider(&call)?;
    let (email, password) = credentials(&call)?;
    check_password(&password)?;
    let hashing = Hashing::enter(&call.app, &call.head())?;
    Attempt::begin(&call.app, &call.head(), "register", &email)?;
    let actor_type = call.path("actor").to_owned();
    drop(call.view);
    let hash = hashing.run(move || PasswordHash::new(&password)).await??;
    let make = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
        Ok(register(tx, at, &email, &hash)?)
    };
    let (identity, _) = call.app.write(Actor::System, make).await?;
    Ok(Reply::json(&json!({ "token": token_for(&call.app, &identity, &actor_type)? })))
}

/// Exchanges a valid token for a new one, which holds the account that the identity has by now.
async fn refresh(call: Call) -> Result<Reply, Fault> {
    let login = call.pass.login.as_ref().ok_or_else(Fault::unauthorized)?;
    let identity = identity_of(&call.view, login)?.ok_or_else(Fault::unauthorized)?;
    Ok(Reply::json(&json!({ "token": token_for(&call.app, &identity, &login.actor_type)? })))
}
