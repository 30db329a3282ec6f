//! `/admin/api-keys`

use atoll_api_key::{
    API_KEYS, ApiKey, ApiKeyKind, ApiKeyPatch, NewToken, create_key, delete_key, revoke_key,
};
use atoll_flows::sales_channel::LINK_SALES_CHANNELS_TO_API_KEY;
use atoll_kernel::{
    Body, Call, Fault, Local, Param, ParamKind, Params, Read, Reply, Resource, Type, optional, required,
    resources, routes, serde_json::Value,
};

use crate::{
    reply::{find, link_ids, page, perform, perform_secretly, remove, save},
    tables::{LINK, ONE, any, date, list},
};

routes! {
    of API_KEY;
    /// Lists the API keys. A secret key is shown in parts only.
    Get "/admin/api-keys" (Admin, LIST) => index;
    /// Creates an API key. The answer is the only one that shows the token of a secret key, so a repetition
    /// by idempotency key does not show it again. A publishable key opens nothing until it is linked to sales
    /// channels.
    Post "/admin/api-keys" (Admin, ONE, CREATE) => create;
    /// Shows an API key.
    Get "/admin/api-keys/:id" (Admin, ONE) => retrieve;
    /// Renames an API key.
    Post "/admin/api-keys/:id" (Admin, ONE, UPDATE) => update;
    /// Deletes an API key. It must be revoked first.
    Delete "/admin/api-keys/:id" (Admin, ONE) => delete;
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
    offer: None,
    renamed: &[("token", "stored_token")],
};

/// What the wire shows of a key that was just made: it has no channels yet.
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
const REVOKE: Body = &[&[optional("revoke_in", Type::Number)]];

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&API_KEY, &call, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let input: ApiKey = call.read()?;
    let token = NewToken::random(input.r#type).map_err(Fault::unexpected)?;
    let secret = (input.r#type == ApiKeyKind::Secret).then(|| token.text().to_owned());
    let body = move |flow: &mut Local<'_>| Ok(create_key(flow.tx, flow.at, &input.title, &token)?);
    match secret {
        // This is the only answer that shows a secret.
        Some(secret) => perform_secretly(&CREATED, call, "token", secret, body).await,
        None => perform(&CREATED, call, body).await,
    }
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&API_KEY, &call, not_found)
}

fn not_found(id: &str) -> String {
    format!("API Key with id: {id} was not found")
}

fn known(tx: &dyn Read, id: &str) -> Result<ApiKey, Fault> {
    API_KEYS.get(tx, id)?.ok_or_else(|| Fault::not_found(not_found(id)))
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let (id, patch) = (call.path("id").to_owned(), call.read::<ApiKeyPatch>()?);
    save(&API_KEY, call, move |tx, at| {
        known(tx, &id)?;
        Ok(API_KEYS.update(tx, at, &id, patch)?)
    })
    .await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove(call, "api_key", |tx, at, id| Ok(delete_key(tx, at, id).map(drop)?)).await
}

async fn revoke(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let seconds = call.body().get("revoke_in").and_then(Value::as_f64).unwrap_or_default();
    // What is too large for a number of milliseconds is the largest one.
    let delay_ms = (seconds * 1000.0).floor().max(0.0) as i64;
    save(&API_KEY, call, move |tx, at| {
        known(tx, &id)?;
        let when = at.now().plus_millis(delay_ms);
        if when.written().is_none() {
            return Err(Fault::invalid(
                "Invalid request: Value for field 'revoke_in' is beyond the last date",
            ));
        }
        Ok(revoke_key(tx, at, &id, when)?)
    })
    .await
}

async fn link_channels(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&API_KEY, call, move |flow| {
        let key = known(flow.tx, &ids.id)?;
        flow.run(&LINK_SALES_CHANNELS_TO_API_KEY, ids)?;
        Ok(key)
    })
    .await
}
