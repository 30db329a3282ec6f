//! Who may come in: users and customers by the token they got for logging in, servers by secret key, storefronts by
//! publishable key.

use std::sync::Arc;

use atoll_api_key::{ApiKeyKind, find_active};
use atoll_auth::AUTH_IDENTITIES;
use atoll_availability::ChannelScope;
use atoll_customer::{CUSTOMER, CUSTOMERS};
use atoll_kernel::{
    Actor, Auth, Call, Context, Ctx, Fault, Head, HeaderValue, Login, Pass, StoreError, Timestamp,
};
use atoll_user::{USER, USERS};

use crate::auth::{Claims, session_of, verify};

/// Lets a request in, or answers what the wire's guards answer.
pub fn gate(ctx: &Ctx, auth: Auth, head: &Head) -> Result<Pass, Fault> {
    match auth {
        Auth::Public => Ok(Pass { actor: Actor::System, login: None, extra: None }),
        Auth::Identity => {
            let login = login(ctx, head)?.ok_or_else(Fault::unauthorized)?;
            Ok(Pass { actor: actor(&login), login: Some(login), extra: None })
        }
        Auth::Admin | Auth::User => admin(ctx, auth, head),
        Auth::Store | Auth::NewCustomer | Auth::Customer => store(ctx, auth, head),
    }
}

/// With an admin's token, a storefront shows what it will show at the moment that this header says.
pub(crate) const PREVIEW_AT: &str = "x-atoll-preview-at";

fn moment(value: &HeaderValue) -> Result<Timestamp, Fault> {
    let parsed = value.to_str().ok().and_then(|it| it.parse().ok());
    parsed.ok_or_else(|| Fault::invalid(format!("The header {PREVIEW_AT} is not a date")))
}

fn admin(ctx: &Ctx, auth: Auth, head: &Head) -> Result<Pass, Fault> {
    if let (Auth::Admin, Some(token)) = (auth, authorization(head, "Basic ")) {
        let key = find_active(&ctx.view(), ApiKeyKind::Secret, &secret_of(token), ctx.now())?;
        let key = key.ok_or_else(Fault::unauthorized)?;
        return Ok(Pass { actor: Actor::ApiKey(key.id.to_string()), login: None, extra: None });
    }
    if authorization(head, "Bearer ").is_some_and(|it| it.starts_with("sk_")) {
        return Err(Fault::unauthorized_because(
            "A secret API key was passed as a Bearer token. Secret API keys must be sent using HTTP Basic \
             authentication instead (Authorization: Basic <secret-api-key>).",
        ));
    }
    let login = login(ctx, head)?.ok_or_else(Fault::unauthorized)?;
    match actor(&login) {
        actor @ Actor::User(_) => Ok(Pass { actor, login: Some(login), extra: None }),
        _ => Err(Fault::unauthorized()),
    }
}

/// The key is asked for first: without one, nobody learns whether they are logged in.
fn store(ctx: &Ctx, auth: Auth, head: &Head) -> Result<Pass, Fault> {
    let token = head.headers.get("x-publishable-api-key").and_then(|it| it.to_str().ok());
    let mut scope = ChannelScope::admit(ctx, &ctx.view(), token)??;
    if let Some(at) = head.headers.get(PREVIEW_AT) {
        // What shoppers will see later is for admins to see now.
        admin(ctx, Auth::Admin, head)?;
        scope = scope.preview(moment(at)?);
    }
    let shopper = Actor::Shopper(scope.key_id().to_owned());
    let login = login(ctx, head)?.filter(|it| it.actor_type == CUSTOMER);
    let actor = match (auth, login.as_ref().map(actor)) {
        (_, Some(customer @ Actor::Customer(_))) => customer,
        (Auth::Store, _) | (Auth::NewCustomer, Some(_)) => shopper,
        _ => return Err(Fault::unauthorized()),
    };
    Ok(Pass { actor, login, extra: Some(Arc::new(scope)) })
}

/// Who logged in, if their token is still good.
fn login(ctx: &Ctx, head: &Head) -> Result<Option<Login>, StoreError> {
    let Some(token) = authorization(head, "Bearer ") else { return by_cookie(ctx, head) };
    let Some(claims) = verify::<Claims>(ctx, token) else { return Ok(None) };
    let signed_at = claims.signed_at();
    let Claims { actor_id, actor_type, auth_identity_id: identity, .. } = claims;
    let login = Login { identity, actor_type, actor_id };
    Ok(is_known(ctx, &login, signed_at)?.then_some(login))
}

/// Who opened the session of the request's cookie.
fn by_cookie(ctx: &Ctx, head: &Head) -> Result<Option<Login>, StoreError> {
    let Some(session) = session_of(ctx, head)? else { return Ok(None) };
    let Some(identity) = AUTH_IDENTITIES.get(&ctx.view(), &session.auth_identity_id)? else {
        return Ok(None);
    };
    let actor_id = identity.actor(&session.actor_type).unwrap_or_default().to_owned();
    let login = Login { identity: identity.id.to_string(), actor_type: session.actor_type, actor_id };
    Ok(is_known(ctx, &login, session.created_at)?.then_some(login))
}

/// Is the identity still there, with the same password, and is it still who it was?
fn is_known(ctx: &Ctx, login: &Login, since: Timestamp) -> Result<bool, StoreError> {
    let view = ctx.view();
    let Some(identity) = AUTH_IDENTITIES.get(&view, &login.identity)? else { return Ok(false) };
    if identity.password_since.is_some_and(|changed| since < changed) {
        return Ok(false);
    }
    if login.actor_id.is_empty() {
        return Ok(true);
    }
    let is_there = match &*login.actor_type {
        USER => USERS.table.exists(&view, &login.actor_id)?,
        CUSTOMER => CUSTOMERS.table.exists(&view, &login.actor_id)?,
        _ => true,
    };
    Ok(is_there && identity.actor(&login.actor_type) == Some(&login.actor_id))
}

/// Who asks. Those who are nobody yet, or something that the core does not know, may do nothing by that.
fn actor(login: &Login) -> Actor {
    match (&*login.actor_type, &*login.actor_id) {
        (_, "") => Actor::System,
        (USER, id) => Actor::User(id.to_owned()),
        (CUSTOMER, id) => Actor::Customer(id.to_owned()),
        _ => Actor::System,
    }
}

fn authorization<'a>(head: &'a Head, scheme: &str) -> Option<&'a str> {
    head.headers.get("authorization")?.to_str().ok()?.strip_prefix(scheme)
}

/// A secret key as it was sent: plain, or as the user name of Basic authentication.
fn secret_of(token: &str) -> String {
    if token.starts_with("sk_") {
        return token.to_owned();
    }
    let decoded = decode_base64(token).unwrap_or_default();
    decoded.trim_end_matches(':').to_owned()
}

fn decode_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut n_bits) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The scope that the guard made for this call.
///
/// # Panics
/// When the route is not a store route: its table says so, and a test reads it.
pub(crate) fn scope(call: &Call) -> ChannelScope {
    let scope = call.pass.extra.as_ref().and_then(|it| it.downcast_ref::<ChannelScope>());
    scope.expect("store routes have a scope").clone()
}

/// The scope of a call that writes: that happens now, and not at another moment.
pub(crate) fn scope_to_write(call: &Call) -> Result<ChannelScope, Fault> {
    let scope = scope(call);
    match scope.is_preview() {
        true => Err(Fault::invalid(format!("The header {PREVIEW_AT} is for reading alone"))),
        false => Ok(scope),
    }
}

/// What is shown to a shopper of this scope: at its moment, and on its side of the wall.
pub(crate) fn context_in(scope: ChannelScope) -> Context {
    Context::at(scope.moment()).within(Arc::new(scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_keys_come_plain_or_encoded() {
        for sent in ["sk_abc", "c2tfYWJj", "c2tfYWJjOg=="] {
            assert_eq!(secret_of(sent), "sk_abc", "{sent}");
        }
        assert_eq!(secret_of("%%%"), "");
    }
}
