//! Admin routes of API keys: `/admin/api-keys`.

use atoll_api_key::{API_KEYS, ApiKey, ApiKeyKind, NewToken};
use atoll_flows::{
    api_key::{CREATE_API_KEYS, DELETE_API_KEYS, NewKey, REVOKE_API_KEYS, UPDATE_API_KEYS},
    sales_channel::LINK_SALES_CHANNELS_TO_API_KEY,
};
use atoll_kernel::{
    Fault,
    flow::Local,
    http::{Body, Call, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    resources, routes,
    serde_json::Value,
};

use crate::{
    crud::crud,
    reply::{link_by, perform, perform_secretly},
    tables::{LINK, ONE, any, date, list},
};

crud! {
    of API_KEY at "/admin/api-keys" for Admin;
    called "an API key" / "API keys";
    not_found "API Key with id: {} was not found";
    /// A secret key is shown in parts only.
    page LIST;
    find ONE;
    update ONE, UPDATE by UPDATE_API_KEYS;
    /// It must be revoked first.
    delete "api_key" by DELETE_API_KEYS;
}

routes! {
    of API_KEY;
    /// Creates an API key. The answer is the only one that shows the token of a secret key, so a repetition
    /// by idempotency key does not show it again. A publishable key opens nothing until it is linked to sales
    /// channels.
    Post "/admin/api-keys" (Admin, ONE, CREATE) => create;
    /// Revokes an API key, at once or in `revoke_in` seconds. A revoked key stays revoked.
    Post "/admin/api-keys/:id/revoke" (Admin, ONE, REVOKE) => revoke;
}

routes! {
    with "sales_channels";
    of API_KEY;
    /// Links sales channels to a publishable key, and unlinks others. The key shows and sells what its
    /// channels do.
    Post "/admin/api-keys/:id/sales-channels" (Admin, ONE, LINK) => link_channels;
}

resources! { CREATED }

static API_KEY: Resource = Resource {
    entity: "api_key",
    one: "api_key",
    many: "api_keys",
    fields: &[
        "id", "title", "token", "redacted", "type", "last_used_at", "updated_at", "created_at", "created_by",
        "revoked_at", "revoked_by", "sales_channels.id", "sales_channels.name",
    ],
    store_fields: None,
    renamed: &[("token", "stored_token")],
};

/// A key that was just created, as the wire shows it: without channels.
static CREATED: Resource = Resource {
    fields: &[
        "id", "title", "token", "redacted", "type", "last_used_at", "updated_at", "created_at", "deleted_at",
        "created_by", "revoked_at", "revoked_by",
    ],
    ..API_KEY
};

const LIST: Params = list(
    &[
        any("id"),
        any("title"),
        any("token"),
        any("created_by"),
        Param::new("type", ParamKind::Words(ApiKeyKind::WORDS)),
        date("created_at"),
        date("updated_at"),
        date("revoked_at"),
        date("deleted_at"),
    ],
    20,
);
const CREATE: Body = &[&[required("title", Type::Text), required("type", Type::Words(ApiKeyKind::WORDS))]];
const UPDATE: Body = &[&[required("title", Type::Text)]];
const REVOKE: Body =
    &[&[optional("revoke_in", Type::Number).about("In how many seconds; at once if it is absent.")]];

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let ApiKey { title, r#type, .. } = call.read()?;
    let token = NewToken::random(r#type).map_err(Fault::unexpected)?;
    let secret = (r#type == ApiKeyKind::Secret).then(|| token.text().to_owned());
    let body = move |flow: &mut Local<'_>| flow.run(&CREATE_API_KEYS, NewKey { title, token });
    match secret {
        // This is the only answer that shows a secret.
        Some(secret) => perform_secretly(&CREATED, call, "token", secret, body).await,
        None => perform(&CREATED, call, body).await,
    }
}

async fn revoke(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let seconds = call.body().get("revoke_in").and_then(Value::as_f64).unwrap_or_default();
    // Seconds beyond the range of milliseconds become the largest value.
    let delay_ms = (seconds * 1000.0).floor().max(0.0) as i64;
    perform(&API_KEY, call, move |flow| flow.run(&REVOKE_API_KEYS, (id, delay_ms))).await
}

async fn link_channels(call: Call) -> Result<Reply, Fault> {
    link_by(&API_KEY, call, &LINK_SALES_CHANNELS_TO_API_KEY, &API_KEYS, not_found).await
}
