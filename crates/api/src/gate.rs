//! Who may come in: admin users by bearer token, servers by secret key, storefronts by publishable key.

use std::sync::Arc;

use atoll_api_key::{ApiKeyKind, find_active};
use atoll_availability::ChannelScope;
use atoll_kernel::{Actor, Auth, Call, Context, Ctx, Fault, HeaderMap, HeaderValue, Pass, Timestamp};
use atoll_user::USERS;

use crate::auth::verify;

/// Lets a request in, or answers what the wire's guards answer.
pub fn gate(ctx: &Ctx, auth: Auth, headers: &HeaderMap) -> Result<Pass, Fault> {
    match auth {
        Auth::Public => Ok(Pass { actor: Actor::System, extra: None }),
        Auth::Admin => Ok(Pass { actor: admin(ctx, headers)?, extra: None }),
        Auth::Store => {
            let token = headers.get("x-publishable-api-key").and_then(|it| it.to_str().ok());
            let mut scope = ChannelScope::admit(ctx, &ctx.view(), token)??;
            if let Some(at) = headers.get(PREVIEW_AT) {
                // What shoppers will see later is for admins to see now.
                admin(ctx, headers)?;
                scope = scope.preview(moment(at)?);
            }
            let actor = Actor::Shopper(scope.key_id().to_owned());
            Ok(Pass { actor, extra: Some(Arc::new(scope)) })
        }
    }
}

/// With an admin's token, a storefront shows what it will show at the moment that this header says.
pub(crate) const PREVIEW_AT: &str = "x-atoll-preview-at";

fn moment(value: &HeaderValue) -> Result<Timestamp, Fault> {
    let parsed = value.to_str().ok().and_then(|it| it.parse().ok());
    parsed.ok_or_else(|| Fault::invalid(format!("The header {PREVIEW_AT} is not a date")))
}

fn admin(ctx: &Ctx, headers: &HeaderMap) -> Result<Actor, Fault> {
    let authorization = headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    if let Some(token) = authorization.strip_prefix("Bearer ") {
        if token.starts_with("sk_") {
            return Err(Fault::unauthorized_because(
                "A secret API key was passed as a Bearer token. Secret API keys must be sent using HTTP Basic \
                 authentication instead (Authorization: Basic <secret-api-key>).",
            ));
        }
        let claims = verify(ctx, token).ok_or_else(Fault::unauthorized)?;
        let known = claims.actor_type == "user" && USERS.table.exists(&ctx.view(), &claims.actor_id)?;
        return if known { Ok(Actor::User(claims.actor_id)) } else { Err(Fault::unauthorized()) };
    }
    if let Some(token) = authorization.strip_prefix("Basic ") {
        let key = find_active(&ctx.view(), ApiKeyKind::Secret, &secret_of(token), ctx.now())?;
        return key.map(|it| Actor::ApiKey(it.id.to_string())).ok_or_else(Fault::unauthorized);
    }
    Err(Fault::unauthorized())
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
