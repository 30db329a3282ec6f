//! Typed ids: `sc_01J…` is an `Id<SalesChannel>`. A prefix and a sortable UUIDv7.

use std::{
    borrow::Borrow,
    cmp, fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    ops::Deref,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A kind of record that ids refer to.
pub trait Kind {
    /// The prefix before the underscore: `sc` for sales channels.
    const PREFIX: &'static str;
}

/// The id of a `K`: the prefix and a UUIDv7 as 26 characters of Crockford base32, so that ids sort by
/// creation time. Any other text is a valid id as well, since users may bring their own.
pub struct Id<K: ?Sized> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// Encodes `uuid`.
    pub fn from_uuid(uuid: Uuid) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut text = String::with_capacity(K::PREFIX.len() + 27);
        text.push_str(K::PREFIX);
        text.push('_');
        let bits = uuid.as_u128();
        for digit in (0..26).rev() {
            text.push(ALPHABET[(bits >> (digit * 5)) as usize & 31] as char);
        }
        Self::from(text)
    }
}

impl<K: ?Sized> Id<K> {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<K: ?Sized> From<String> for Id<K> {
    fn from(text: String) -> Self {
        Id { text: text.into(), kind: PhantomData }
    }
}

impl<K: ?Sized> From<&str> for Id<K> {
    fn from(text: &str) -> Self {
        Id { text: text.into(), kind: PhantomData }
    }
}

/// The empty id refers to nothing: that of a record that has not been created yet.
impl<K: ?Sized> Default for Id<K> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<K: ?Sized> Deref for Id<K> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<K: ?Sized> Borrow<str> for Id<K> {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl<K: ?Sized> AsRef<str> for Id<K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<K: ?Sized> Clone for Id<K> {
    fn clone(&self) -> Self {
        Id { text: self.text.clone(), kind: PhantomData }
    }
}

impl<K: ?Sized> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K: ?Sized> Eq for Id<K> {}

impl<K: ?Sized> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: ?Sized> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K: ?Sized> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K: ?Sized> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<K: ?Sized> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K: ?Sized> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, K: ?Sized> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<K: ?Sized>(PhantomData<fn() -> K>);

        impl<K: ?Sized> de::Visitor<'_> for Text<K> {
            type Value = Id<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<K>, E> {
                Ok(Id::from(text))
            }
        }

        deserializer.deserialize_str(Text(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;

    impl Kind for Thing {
        const PREFIX: &'static str = "thing";
    }

    #[test]
    fn ids_print_and_sort_like_their_uuids() {
        let low = Id::<Thing>::from_uuid(Uuid::from_u128(1));
        let high = Id::<Thing>::from_uuid(Uuid::from_u128(u128::MAX));
        assert_eq!(low.as_str(), "thing_00000000000000000000000001");
        assert_eq!(high.as_str(), "thing_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert!(low < high);
    }
}
