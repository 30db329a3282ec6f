//! Creating, renaming, revoking and deleting API keys. Hooks get the ids of keys, and no tokens.

use atoll_api_key::{API_KEYS, ApiKey, ApiKeyPatch, NewToken, create_key, delete_key, revoke_key};
use atoll_kernel::{Fault, Read, flow, flow::Local};

use crate::points::{
    Ids, KEYS_CREATED, KEYS_DELETED, KEYS_REVOKED, KEYS_UPDATED, NewApiKey, OfId, Revocation, VALIDATE_ID,
    VALIDATE_IDS, VALIDATE_KEY, VALIDATE_REVOCATION,
};

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
        "create-api-keys" (create), hooks: &[&VALIDATE_KEY, &KEYS_CREATED];
}

fn create(flow: &mut Local<'_>, NewKey { title, token }: NewKey) -> Result<ApiKey, Fault> {
    flow.hook(&VALIDATE_KEY, || NewApiKey { title: title.clone(), r#type: token.kind() })?;
    let key = flow.step("create-api-keys", |tx, at| Ok(create_key(tx, at, &title, &token)?))?;
    flow.hook(&KEYS_CREATED, || Ids::of(&[&key.id]))?;
    Ok(key)
}

flow! {
    /// Updates the key with this id.
    pub static UPDATE_API_KEYS: Flow<(String, ApiKeyPatch), ApiKey> =
        "update-api-keys" (update), hooks: &[&VALIDATE_ID, &KEYS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, patch): (String, ApiKeyPatch)) -> Result<ApiKey, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let key = flow.step("update-api-keys", |tx, at| {
        check_exists(tx, &id)?;
        Ok(API_KEYS.update(tx, at, &id, patch)?)
    })?;
    flow.hook(&KEYS_UPDATED, || Ids::of(&[&id]))?;
    Ok(key)
}

flow! {
    /// Revokes the key with this id after a delay in milliseconds.
    pub static REVOKE_API_KEYS: Flow<(String, i64), ApiKey> =
        "revoke-api-keys" (revoke), hooks: &[&VALIDATE_REVOCATION, &KEYS_REVOKED];
}

fn revoke(flow: &mut Local<'_>, (id, delay_ms): (String, i64)) -> Result<ApiKey, Fault> {
    flow.hook(&VALIDATE_REVOCATION, || Revocation { id: id.clone(), delay_ms: delay_ms.unsigned_abs() })?;
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
    flow.hook(&KEYS_REVOKED, || Ids::of(&[&id]))?;
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
        "delete-api-keys" (delete), hooks: &[&VALIDATE_IDS, &KEYS_DELETED];
}

fn delete(flow: &mut Local<'_>, ids: Vec<String>) -> Result<(), Fault> {
    flow.hook(&VALIDATE_IDS, || Ids::of(&ids))?;
    let mut deleted = Vec::new();
    flow.step("delete-api-keys", |tx, at| {
        for id in &ids {
            deleted.extend(delete_key(tx, at, id)?.map(|it| it.id));
        }
        Ok(())
    })?;
    flow.hook(&KEYS_DELETED, || Ids::of(&deleted))?;
    Ok(())
}
