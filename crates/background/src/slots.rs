//! One small record per name, in a space of its own: cursors of subscribers, progress of jobs.

use std::marker::PhantomData;

use atoll_kernel::{KeyBuf, Read, Space, StoreError, Write, decode, encode};
use serde::{Serialize, de::DeserializeOwned};

/// The records of a space, by name.
pub(crate) struct Slots<T> {
    pub(crate) space: Space,
    of: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Slots<T> {
    pub(crate) const fn new(space: Space) -> Slots<T> {
        Slots { space, of: PhantomData }
    }

    fn key(&self, tx: &dyn Read, name: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space)).tail(name.as_bytes()).into_bytes()
    }

    pub(crate) fn read(&self, tx: &dyn Read, name: &str) -> Result<Option<T>, StoreError> {
        let bytes = tx.get(&self.key(tx, name))?;
        bytes.map(|bytes| decode(self.space, name, &bytes)).transpose()
    }

    pub(crate) fn write(&self, tx: &mut dyn Write, name: &str, record: &T) {
        let key = self.key(tx, name);
        tx.put(key, encode(record));
    }
}
