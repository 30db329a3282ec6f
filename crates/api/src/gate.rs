//! Authentication and authorisation of requests: users and customers by token or session, servers by secret
//! key, storefronts by publishable key.

use std::{any::Any, sync::Arc};

use atoll_api_key::{ApiKeyKind, find_active};
use atoll_auth::{AUTH_IDENTITIES, AuthIdentity, AuthSession};
use atoll_availability::ChannelScope;
use atoll_customer::{CUSTOMER, CUSTOMERS};
use atoll_kernel::{
    Actor, Ctx, Fault, Read, StoreError, Timestamp,
    data::View,
    http::{Auth, Call, Caller, CallerHeader, HeaderValue, Login, Pass},
    query::Nothing,
    storefront::Scope,
};
use atoll_user::{USER, USERS};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::auth::{Claims, session_of};

/// Authenticates a request, with the errors of the wire. It reads one snapshot, which the handler goes on
/// reading.
pub fn gate(ctx: &Ctx, view: &View, auth: Auth, caller: Caller<'_>) -> Result<Pass, Fault> {
    match auth {
        Auth::Public => Ok(pass(ctx, Actor::Nobody, None)),
        Auth::Identity => {
            let login = login(ctx, view, caller)?.ok_or_else(Fault::unauthorized)?;
            Ok(pass(ctx, actor(&login), Some(login)))
        }
        Auth::Admin | Auth::User => admin(ctx, view, auth, caller),
        Auth::Store | Auth::NewCustomer | Auth::Customer => store(ctx, view, auth, caller),
    }
}

/// The pass of a request without a publishable key. Admins see everything; other callers see nothing but what
/// the request itself makes.
fn pass(ctx: &Ctx, actor: Actor, login: Option<Login>) -> Pass {
    let context = ctx.unconfined(ctx.time());
    let context = match &actor {
        Actor::User(_) | Actor::ApiKey(_) => context,
        _ => context.within(Arc::new(Nothing)),
    };
    Pass { actor, login, through: None, scope: None, context }
}

/// Header of a preview: with an admin's token, a storefront shows what it will show at this time.
const PREVIEW_AT: &str = CallerHeader::PREVIEW_AT.name();

fn moment(value: &HeaderValue) -> Result<Timestamp, Fault> {
    let parsed = value.to_str().ok().and_then(|it| it.parse().ok());
    parsed.ok_or_else(|| Fault::invalid(format!("The header {PREVIEW_AT} is not a date")))
}

fn admin(ctx: &Ctx, view: &View, auth: Auth, caller: Caller<'_>) -> Result<Pass, Fault> {
    if let (Auth::Admin, Some(token)) = (auth, authorization(caller, "Basic ")) {
        let key = find_active(view, ApiKeyKind::Secret, &secret_of(token), &ctx.time())?;
        let key = key.ok_or_else(Fault::unauthorized)?;
        return Ok(pass(ctx, Actor::ApiKey(key.id.to_string()), None));
    }
    if authorization(caller, "Bearer ").is_some_and(|it| it.starts_with("sk_")) {
        return Err(Fault::unauthorized_because(
            "A secret API key was passed as a Bearer token. Secret API keys must be sent using HTTP Basic \
             authentication instead (Authorization: Basic <secret-api-key>).",
        ));
    }
    let login = login(ctx, view, caller)?.ok_or_else(Fault::unauthorized)?;
    match actor(&login) {
        actor @ Actor::User(_) => Ok(pass(ctx, actor, Some(login))),
        _ => Err(Fault::unauthorized()),
    }
}

/// The publishable key is checked first: without one, the answer does not reveal whether the login is valid.
fn store(ctx: &Ctx, view: &View, auth: Auth, caller: Caller<'_>) -> Result<Pass, Fault> {
    let token = caller.header(CallerHeader::PUBLISHABLE_KEY).and_then(|it| it.to_str().ok());
    let mut scope = ChannelScope::admit(ctx, view, token)??;
    if let Some(at) = caller.header(CallerHeader::PREVIEW_AT) {
        // Only admins may preview, and nothing is sold at another time than now.
        admin(ctx, view, Auth::Admin, caller)?;
        if !matches!(caller.method().as_str(), "GET" | "HEAD") {
            return Err(Fault::invalid(format!("The header {PREVIEW_AT} is for reading alone")));
        }
        scope = scope.preview(moment(at)?);
    }
    let shopper = Actor::Shopper(scope.key_id().to_owned());
    let login = login(ctx, view, caller)?.filter(|it| it.actor_type == CUSTOMER);
    let actor = match (auth, login.as_ref().map(actor)) {
        (_, Some(customer @ Actor::Customer(_))) => customer,
        (Auth::Store, _) | (Auth::NewCustomer, Some(_)) => shopper,
        _ => return Err(Fault::unauthorized()),
    };
    let through = Some(scope.key_id().to_owned());
    let customer = if let Actor::Customer(id) = &actor { Some(id.as_str()) } else { None };
    let scope = Arc::new(scope.of_customer(customer));
    let context = ctx.unconfined(scope.at()).within(scope.clone());
    Ok(Pass { actor, login, through, scope: Some(scope), context })
}

/// The login of a valid token.
fn login(ctx: &Ctx, view: &View, caller: Caller<'_>) -> Result<Option<Login>, StoreError> {
    let Some(token) = authorization(caller, "Bearer ") else { return by_cookie(ctx, view, caller) };
    let Some(claims) = ctx.read_signed::<Claims>(token) else { return Ok(None) };
    let Claims { actor_id, actor_type, auth_identity_id: identity, seal, .. } = claims;
    let login = Login { identity, actor_type, actor_id, seal };
    Ok(identity_of(view, &login)?.map(|_| login))
}

/// The login of the session of the request's cookie.
fn by_cookie(ctx: &Ctx, view: &View, caller: Caller<'_>) -> Result<Option<Login>, StoreError> {
    let Some(session) = session_of(ctx, view, caller)? else { return Ok(None) };
    let Some(identity) = AUTH_IDENTITIES.get(view, &session.auth_identity_id)? else {
        return Ok(None);
    };
    let actor_id = identity.actor(&session.actor_type).unwrap_or_default().to_owned();
    let AuthSession { actor_type, seal, .. } = session;
    let login = Login { identity: identity.id.to_string(), actor_type, actor_id, seal };
    Ok(identity_of(view, &login)?.map(|_| login))
}

/// The auth identity of a login, if it still exists, with the same password and the same account.
pub(crate) fn identity_of(view: &dyn Read, login: &Login) -> Result<Option<AuthIdentity>, StoreError> {
    let Some(identity) = AUTH_IDENTITIES.get(view, &login.identity)? else { return Ok(None) };
    let is_same = login.actor_id.is_empty() || identity.actor(&login.actor_type) == Some(&login.actor_id);
    let is_there = match &*login.actor_type {
        _ if login.actor_id.is_empty() => true,
        USER => USERS.table.exists(view, &login.actor_id)?,
        CUSTOMER => CUSTOMERS.is_on() && CUSTOMERS.table.exists(view, &login.actor_id)?,
        _ => true,
    };
    Ok(Some(identity).filter(|it| it.has_login_seal(&login.seal) && is_same && is_there))
}

/// The actor of a login. Identities without an account, and actor types that the core does not know, have no
/// rights ([`Actor::Nobody`]).
fn actor(login: &Login) -> Actor {
    match (&*login.actor_type, &*login.actor_id) {
        (_, "") => Actor::Nobody,
        (USER, id) => Actor::User(id.to_owned()),
        (CUSTOMER, id) => Actor::Customer(id.to_owned()),
        _ => Actor::Nobody,
    }
}

fn authorization<'a>(caller: Caller<'a>, scheme: &str) -> Option<&'a str> {
    caller.header(CallerHeader::AUTHORIZATION)?.to_str().ok()?.strip_prefix(scheme)
}

/// Base64 with or without padding: clients send both.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret key as it was sent: plain, or as the user name of Basic authentication.
fn secret_of(token: &str) -> String {
    if token.starts_with("sk_") {
        return token.to_owned();
    }
    let decoded = BASE64.decode(token).ok().and_then(|it| String::from_utf8(it).ok()).unwrap_or_default();
    decoded.trim_end_matches(':').to_owned()
}

/// The scope of this call, as the core's own routes need it.
///
/// # Panics
/// When the route is not a store route; the route table says so, and a test checks it.
pub(crate) fn scope(call: &Call) -> &ChannelScope {
    let scope: Option<&dyn Any> = call.pass.scope.as_ref().map(|it| &**it as &dyn Any);
    scope.and_then(|it| it.downcast_ref()).expect("store routes have a scope")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_auth_takes_secret_keys_plain_or_base64() {
        for sent in ["sk_abc", "c2tfYWJj", "c2tfYWJjOg=="] {
            assert_eq!(secret_of(sent), "sk_abc", "{sent}");
        }
        assert_eq!(secret_of("%%%"), "");
    }
}
