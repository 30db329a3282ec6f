//! Secrets that several hosts of one shop have in common, in its store: what one of them signs, each can
//! verify.
//!
//! A secret that a setting says is kept as a digest alone, and each host must be given the same one. Without
//! a setting the store holds the secret itself, and so does whoever can read it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Read, StoreError, Write,
    data::{Slots, SpaceDef},
    stored,
};

stored! {
    #[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Kept {
        digest: Vec<u8>,
        /// The secret; none if each host is given it.
        secret: Option<Vec<u8>>,
    }
}

/// The secrets by their names.
const SECRETS: Slots<Kept> = Slots::new("shop.secret");

/// Their space.
pub(crate) const SHOP_SECRETS: SpaceDef = SECRETS.def();

/// Why a host cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It was given another secret than the host that leads, or none where that one was given one.
    #[error("`{0}` is not that of the other hosts of this shop: give each of them the same one")]
    Differs(&'static str),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The secret of this name, for a host that follows. `None`: no host has led yet.
pub fn shop_secret(
    tx: &dyn Read,
    name: &'static str,
    given: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, SecretError> {
    let Some(kept) = SECRETS.read(tx, name.as_bytes())? else { return Ok(None) };
    let secret = given.map(<[u8]>::to_vec).or(kept.secret).filter(|it| digest(it) == kept.digest);
    secret.map(Some).ok_or(SecretError::Differs(name))
}

/// The secret of this name, for the host that leads: what it is given is the secret from now on, and without
/// that `new`, unless there is one.
pub fn settle_shop_secret(
    tx: &mut dyn Write,
    name: &'static str,
    given: Option<&[u8]>,
    new: &[u8],
) -> Result<Vec<u8>, SecretError> {
    let kept = match given {
        Some(given) => Kept { digest: digest(given), secret: None },
        None => match shop_secret(tx, name, None)? {
            Some(known) => return Ok(known),
            None => Kept { digest: digest(new), secret: Some(new.to_vec()) },
        },
    };
    if SECRETS.read(tx, name.as_bytes())?.as_ref() != Some(&kept) {
        SECRETS.write(tx, name.as_bytes(), &kept);
    }
    Ok(given.unwrap_or(new).to_vec())
}

fn digest(secret: &[u8]) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

#[cfg(test)]
mod tests {
    use atoll_storage::{Store, engines::Memory};

    use super::*;

    async fn settle(store: &Store, given: Option<&'static str>, new: &'static str) -> String {
        let body = move |tx: &mut dyn Write| {
            Ok::<_, StoreError>(settle_shop_secret(tx, "key", given.map(str::as_bytes), new.as_bytes()))
        };
        let (secret, _) = store.commit(body).await.expect("a commit");
        secret.map_or_else(|error| error.to_string(), |it| String::from_utf8(it).expect("a text"))
    }

    fn find(store: &Store, given: Option<&str>) -> Option<String> {
        let found = shop_secret(&store.view(), "key", given.map(str::as_bytes));
        found.map_or_else(
            |error| Some(error.to_string()),
            |it| it.map(|it| String::from_utf8(it).expect("a text")),
        )
    }

    #[tokio::test]
    async fn hosts_of_a_shop_have_the_same_secret() {
        let store = Store::open(Memory::default(), &[SHOP_SECRETS.space]).expect("a store");
        let differs = "`key` is not that of the other hosts of this shop: give each of them the same one";
        assert_eq!(find(&store, None), None);
        assert_eq!(find(&store, Some("given")), None, "the host that leads decides");
        // Without a setting the first host makes it, and the store has it.
        assert_eq!(settle(&store, None, "made").await, "made");
        assert_eq!(settle(&store, None, "made by another").await, "made");
        assert_eq!(find(&store, None).as_deref(), Some("made"));
        assert_eq!(find(&store, Some("given")).as_deref(), Some(differs));
        // With one the store does not hold it any more.
        assert_eq!(settle(&store, Some("given"), "unused").await, "given");
        assert_eq!(find(&store, Some("given")).as_deref(), Some("given"));
        assert_eq!(find(&store, None).as_deref(), Some(differs));
        assert_eq!(settle(&store, None, "unused").await, differs);
        let kept = SECRETS.read(&store.view(), b"key").expect("a read").expect("a secret");
        assert_eq!(kept.secret, None);
    }
}
