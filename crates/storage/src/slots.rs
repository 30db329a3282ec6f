//! Spaces that are no tables: values of one type by key, with their schema and history.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    FieldKind, FieldValue, History, KeyBuf, Read, Space, StoreError, Write, WriteKeys, decode_version,
    encode_version, key_text, space::own_space, upgrade, version,
};

/// A space of values of one type, without indexes.
pub struct Slots<T> {
    space: Space,
    history: History,
    of: PhantomData<fn() -> T>,
}

impl<T: FieldValue + Serialize + DeserializeOwned> Slots<T> {
    /// The values of this space, whose name has a dot: `review.seen`. In a constant it is checked by the
    /// compiler.
    ///
    /// # Panics
    /// If the name is that of a table or link.
    pub const fn new(space: Space) -> Slots<T> {
        Slots::of_any(own_space(space))
    }

    /// The values of a space of any name.
    pub(crate) const fn of_any(space: Space) -> Slots<T> {
        Slots { space, history: &[], of: PhantomData }
    }

    /// Sets the migration steps of the values.
    pub const fn history(self, history: History) -> Slots<T> {
        Slots { history, ..self }
    }

    /// The space.
    pub const fn space(&self) -> Space {
        self.space
    }

    /// The schema of the space.
    pub const fn def(&self) -> SpaceDef {
        SpaceDef {
            space: self.space,
            kind: Some(T::KIND),
            history: self.history,
            rewrite: |def, key, value| {
                let slots = Slots::<T>::of_any(def.space).history(def.history);
                Ok(slots.encode(&slots.decode(key, value)?))
            },
        }
    }

    /// The full key: `key` with the prefix of the space.
    pub fn key(&self, tx: &dyn Read, key: &[u8]) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space)).tail(key).into_bytes()
    }

    /// The value under `key`, which is without the prefix of the space.
    pub fn read(&self, tx: &dyn Read, key: &[u8]) -> Result<Option<T>, StoreError> {
        tx.get(&self.key(tx, key))?.map(|bytes| self.decode(key, &bytes)).transpose()
    }

    /// Stores a value under `key`, which is without the prefix of the space.
    pub fn write(&self, tx: &mut dyn Write, key: &[u8], value: &T) {
        let key = self.key(tx, key);
        tx.put(key, self.encode(value));
    }

    /// Removes the value under `key`, which is without the prefix of the space.
    pub fn remove(&self, tx: &mut dyn Write, key: &[u8]) {
        let key = self.key(tx, key);
        tx.delete(key);
    }

    /// The value in its stored form.
    pub fn encode(&self, value: &T) -> Vec<u8> {
        encode_version(version(self.history), const { T::KIND.shape_number() }, value)
    }

    /// Deserialises a value that [`Slots::write`] wrote, here or in an earlier program, and migrates it.
    pub fn decode(&self, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
        let (version, shape) = (version(self.history), const { T::KIND.shape_number() });
        decode_version(self.space, &key_text(key), value, version, shape, |from, fields| {
            upgrade(self.history, from, fields)
        })
    }
}

/// A value under a key as it is stored today.
type RewriteValue = fn(&SpaceDef, &[u8], &[u8]) -> Result<Vec<u8>, StoreError>;

/// The schema of a space that is no table.
#[derive(Clone, Copy)]
pub struct SpaceDef {
    /// Name of the space.
    pub space: Space,
    /// Type of the values; `None` for spaces of keys without values, and of counters.
    pub kind: Option<FieldKind>,
    /// Migration steps of the values.
    pub history: History,
    rewrite: RewriteValue,
}

impl SpaceDef {
    /// A space of keys without values, or of counters. It has no version: store a new form in a space of
    /// another name.
    pub const fn keys(space: Space) -> SpaceDef {
        SpaceDef { space, kind: None, history: &[], rewrite: |_, _, value| Ok(value.to_vec()) }
    }

    /// Checks that a value of this space decodes. `key` is without the prefix of the space.
    pub fn check(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.rewritten(key, value).map(drop)
    }

    /// A value of this space, of today's version or of an earlier one, as it is stored today. `key` is
    /// without the prefix of the space.
    pub fn rewritten(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
        (self.rewrite)(self, key, value)
    }
}
