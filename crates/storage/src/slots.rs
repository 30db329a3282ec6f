//! Spaces beside the tables: what a module stores that is no record, and what its values hold.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    FieldKind, FieldValue, History, KeyBuf, Read, Space, StoreError, Write, decode_version, encode_version,
    key_text, upgrade, version,
};

/// A space of values of one type, which are found by their key alone.
pub struct Slots<T> {
    space: Space,
    history: History,
    of: PhantomData<fn() -> T>,
}

impl<T: FieldValue + Serialize + DeserializeOwned> Slots<T> {
    /// The values in this space.
    pub const fn new(space: Space) -> Slots<T> {
        Slots { space, history: &[], of: PhantomData }
    }

    /// The same, with what changed in them from each version to the next.
    pub const fn history(self, history: History) -> Slots<T> {
        Slots { history, ..self }
    }

    /// Its space.
    pub const fn space(&self) -> Space {
        self.space
    }

    /// Its space, and what is in it.
    pub const fn def(&self) -> SpaceDef {
        SpaceDef {
            space: self.space,
            kind: Some(T::KIND),
            history: self.history,
            check: |def, key, value| {
                Slots::<T>::new(def.space).history(def.history).decode(key, value).map(drop)
            },
        }
    }

    /// The whole key, of what stands behind the prefix of the space.
    pub fn key(&self, tx: &dyn Read, key: &[u8]) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space)).tail(key).into_bytes()
    }

    /// The value under this key, which stands behind the prefix of the space.
    pub fn read(&self, tx: &dyn Read, key: &[u8]) -> Result<Option<T>, StoreError> {
        tx.get(&self.key(tx, key))?.map(|bytes| self.decode(key, &bytes)).transpose()
    }

    /// Writes the value under this key.
    pub fn write(&self, tx: &mut dyn Write, key: &[u8], value: &T) {
        let key = self.key(tx, key);
        tx.put(key, self.encode(value));
    }

    /// The bytes that [`Slots::write`] stores of it.
    pub fn encode(&self, value: &T) -> Vec<u8> {
        encode_version(version(self.history), value)
    }

    /// Reads what [`Slots::write`] wrote under this key, now or in an earlier program.
    pub fn decode(&self, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
        decode_version(self.space, &key_text(key), value, version(self.history), |from, fields| {
            upgrade(self.history, from, fields)
        })
    }
}

/// Decodes the value under a key.
type CheckValue = fn(&SpaceDef, &[u8], &[u8]) -> Result<(), StoreError>;

/// A space beside the tables, and what is in it.
#[derive(Clone, Copy)]
pub struct SpaceDef {
    /// Its name.
    pub space: Space,
    /// What its values hold; nothing, where they are no values: keys that say all, and bare numbers.
    pub kind: Option<FieldKind>,
    /// What changed in the values from each version to the next.
    pub history: History,
    check: CheckValue,
}

impl SpaceDef {
    /// A space of keys that say all, and of bare numbers. What is in it must not change: what would be
    /// otherwise is another space.
    pub const fn keys(space: Space) -> SpaceDef {
        SpaceDef { space, kind: None, history: &[], check: |_, _, _| Ok(()) }
    }

    /// Is this value one of its? `key` is without the prefix of the space.
    pub fn check(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        (self.check)(self, key, value)
    }
}
