//! Creating, renaming, revoking and deleting API keys. Hooks get the ids of keys, and no tokens.

use atoll_api_key::{API_KEYS, ApiKey, ApiKeyPatch, NewToken, create_key, delete_key, revoke_key};
use atoll_kernel::{Fault, Read, flow, flow::Local, serde_json::json};

/// An API key to create.
#[derive(Clone)]
pub struct NewKey {
    /// Display name, for admins.
    pub title: String,
    /// The token, which also tells the kind of the key. It is generated before the transaction.
    pub token: NewToken,
}

flow! {
    /// Creates a key.
    pub static CREATE_API_KEYS: Flow<NewKey, ApiKey> =
        "create-api-keys" (create), hooks: &["validate", "apiKeysCreated"];
}

fn create(flow: &mut Local<'_>, NewKey { title, token }: NewKey) -> Result<ApiKey, Fault> {
    flow.hook("validate", || json!({ "title": title, "type": token.kind() }))?;
    let key = flow.step("create-api-keys", |tx, at| Ok(create_key(tx, at, &title, &token)?))?;
    flow.hook("apiKeysCreated", || json!({ "ids": [key.id] }))?;
    Ok(key)
}

flow! {
    /// Updates the key with this id.
    pub static UPDATE_API_KEYS: Flow<(String, ApiKeyPatch), ApiKey> =
        "update-api-keys" (update), hooks: &["validate", "apiKeysUpdated"];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, ApiKeyPatch)) -> Result<ApiKey, Fault> {
    flow.hook("validate", || json!({ "id": id }))?;
    let key = flow.step("update-api-keys", |tx, at| {
        check_exists(tx, &id)?;
        Ok(API_KEYS.update(tx, at, &id, patch)?)
    })?;
    flow.hook("apiKeysUpdated", || json!({ "ids": [id] }))?;
    Ok(key)
}

flow! {
    /// Revokes the key with this id after a delay in milliseconds.
    pub static REVOKE_API_KEYS: Flow<(String, i64), ApiKey> =
        "revoke-api-keys" (revoke), hooks: &["validate", "apiKeysRevoked"];
}

fn revoke(flow: &mut Local<'_>, (id, delay_ms): (String, i64)) -> Result<ApiKey, Fault> {
    flow.hook("validate", || json!({ "id": id, "delay_ms": delay_ms }))?;
    let key = flow.step("revoke-api-keys", |tx, at| {
        check_exists(tx, &id)?;
        let when = at.now().plus_millis(delay_ms);
        if when.written().is_none() {
            return Err(Fault::invalid(
                "Invalid request: Value for field 'revoke_in' is beyond the last date",
            ));
        }
        Ok(revoke_key(tx, at, &id, when)?)
    })?;
    flow.hook("apiKeysRevoked", || json!({ "ids": [id] }))?;
    Ok(key)
}

fn check_exists(tx: &dyn Read, id: &str) -> Result<(), Fault> {
    if API_KEYS.table.exists(tx, id)? {
        return Ok(());
    }
    Err(Fault::not_found(format!("API Key with id: {id} was not found")))
}

flow! {
    /// Deletes revoked keys permanently. Unknown ids are ignored, as on the wire.
    pub static DELETE_API_KEYS: Flow<Vec<String>, ()> =
        "delete-api-keys" (delete), hooks: &["validate", "apiKeysDeleted"];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook("validate", || json!({ "ids": ids }))?;
    let mut deleted = Vec::new();
    flow.step("delete-api-keys", |tx, at| {
        for id in &ids {
            deleted.extend(delete_key(tx, at, id)?.map(|it| it.id));
        }
        Ok(())
    })?;
    flow.hook("apiKeysDeleted", || json!({ "ids": deleted }))
}
