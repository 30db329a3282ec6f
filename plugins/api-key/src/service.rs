//! Creating, finding, revoking and deleting API keys.

use atoll_kernel::{
    Moment, Now, Read, StoreError, Timestamp, Write,
    http::{digest, random_token},
};

use crate::{API_KEYS, ApiKey, ApiKeyKind, BY_TOKEN, Error};

/// The token of a new key. It is generated before the transaction, whose body must be deterministic.
#[derive(Clone)]
pub struct NewToken {
    kind: ApiKeyKind,
    text: String,
}

impl NewToken {
    /// Generates a token of 256 random bits.
    #[expect(clippy::disallowed_methods, reason = "it is passed to the transaction, which draws nothing")]
    pub fn random(kind: ApiKeyKind) -> Result<NewToken, getrandom::Error> {
        let prefix = match kind {
            ApiKeyKind::Publishable => "pk_",
            ApiKeyKind::Secret => "sk_",
        };
        Ok(NewToken { kind, text: format!("{prefix}{}", random_token()?) })
    }

    /// The kind of key that it is for.
    pub fn kind(&self) -> ApiKeyKind {
        self.kind
    }

    /// The token. That of a secret key is shown once, in the answer that creates the key.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The stored form of a token: a digest for secret keys.
fn stored(kind: ApiKeyKind, token: &str) -> String {
    match kind {
        ApiKeyKind::Publishable => token.to_owned(),
        ApiKeyKind::Secret => digest(token),
    }
}

/// Creates a key with this token.
pub fn create_key(tx: &mut dyn Write, at: &Moment, title: &str, token: &NewToken) -> Result<ApiKey, Error> {
    let text = token.text();
    let key = ApiKey {
        stored_token: stored(token.kind, text),
        redacted: format!("{}***{}", &text[..6], &text[text.len() - 3..]),
        title: title.to_owned(),
        r#type: token.kind,
        created_by: at.actor().id().to_owned(),
        ..ApiKey::default()
    };
    Ok(API_KEYS.create(tx, at, key)?)
}

/// The key of this kind with this token, if it is active. Reads two keys of the store.
pub fn find_active(
    tx: &dyn Read,
    kind: ApiKeyKind,
    token: &str,
    now: &Now,
) -> Result<Option<ApiKey>, StoreError> {
    Ok(find_key(tx, kind, token)?.filter(|key| key.is_active(now)))
}

/// The key of this kind with this token, active or revoked.
pub fn find_key(tx: &dyn Read, kind: ApiKeyKind, token: &str) -> Result<Option<ApiKey>, StoreError> {
    let key = API_KEYS.table.get_by(tx, &BY_TOKEN, &[&stored(kind, token)])?;
    Ok(key.filter(|key| key.r#type == kind))
}

/// Revokes a key, now or at a later time. A revoked key is left unchanged (publishable) or refused (secret).
pub fn revoke_key(tx: &mut dyn Write, at: &Moment, id: &str, when: Timestamp) -> Result<ApiKey, Error> {
    let key = API_KEYS.retrieve(tx, id)?;
    match key.r#type {
        _ if key.is_active(&at.now().into()) => {}
        ApiKeyKind::Secret => return Err(Error::Revoked),
        ApiKeyKind::Publishable => return Ok(key),
    }
    Ok(API_KEYS.update(tx, at, id, |key: &mut ApiKey| {
        key.revoked_at = Some(when.max(at.now()));
        key.revocation_asked_at = Some(at.now());
        key.revoked_by = Some(at.actor().id().to_owned());
    })?)
}

/// Deletes a revoked key permanently.
pub fn delete_key(tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<ApiKey>, Error> {
    if API_KEYS.get(tx, id)?.is_some_and(|key| key.is_active(&at.now().into())) {
        return Err(Error::Active(id.to_owned()));
    }
    Ok(API_KEYS.delete(tx, at, id)?)
}
