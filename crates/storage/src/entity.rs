//! Records: what every entity is. `kernel::entity!` makes one.

use std::{any::Any, sync::Arc};

use atoll_values::{Id, Kind, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    FieldKind, History, Scalar, Space, StoreError, decode_version, encode_version, upgrade, version,
};

/// The first byte of a stored value: how it is encoded (1: MessagePack with field names, so that a record
/// reads back after fields were added; 2: the same behind the version of the record, see `history.rs`).
pub(crate) const ENCODING: u8 = 1;

/// A record of any entity.
pub type Node = Arc<dyn Record>;

/// What is known of an entity before any record is read.
#[derive(Debug)]
pub struct EntityDef {
    /// `sales_channel`: the name in queries and links, and of the table.
    pub name: Space,
    /// `sales_channels`: the name of a list.
    pub plural: &'static str,
    /// `sc`: what its ids begin with.
    pub prefix: &'static str,
    /// `SalesChannel`: the name in messages.
    pub label: &'static str,
    /// The field that is the primary key on the wire; `id` but for currencies and countries.
    pub key: &'static str,
    /// The stored fields, in the order they are written.
    pub fields: &'static [&'static str],
    /// What these fields hold, in the same order.
    pub kinds: &'static [FieldKind],
    /// Stored fields that no answer shows.
    pub hidden: &'static [&'static str],
    /// Fields that `q` searches.
    pub search: &'static [&'static str],
    /// Records inside the record.
    pub embeds: &'static [Embed],
    /// Fields that are computed from the record when they are asked for.
    pub computed: &'static [&'static str],
    /// Those of them that a star does not show.
    pub on_request: &'static [&'static str],
    /// The space of the rows that were soft-deleted.
    pub deleted: Space,
    /// The way from each version of its records to the next.
    pub history: History,
}

impl EntityDef {
    /// The version of its records.
    pub fn version(&self) -> u16 {
        version(self.history)
    }

    /// `Sales channel`: the name at the beginning of a sentence.
    pub fn words(&self) -> String {
        let mut words = self.name.replace('_', " ");
        if let Some(first) = words.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        words
    }
}

/// A field that holds records of another entity.
#[derive(Debug)]
pub struct Embed {
    /// The field.
    pub name: &'static str,
    /// A list, or at most one?
    pub many: bool,
    /// The entity.
    pub entity: fn() -> &'static EntityDef,
}

/// A record, whatever its entity.
pub trait Record: Any + Send + Sync {
    /// Its entity.
    fn def(&self) -> &'static EntityDef;

    /// Its primary key.
    fn key(&self) -> &str;

    /// The value of a field, for comparison. Fields that it does not have are null.
    fn scalar(&self, field: &str) -> Scalar<'_>;

    /// Writes the fields whose place in `def().fields` is true in `mask`.
    fn write(&self, mask: &[bool], out: &mut JsonObject<'_>);

    /// Shows all computed fields.
    fn compute(&self, visit: &mut dyn FnMut(&'static str, Value));

    /// The records in the field `embed`.
    fn embedded(&self, embed: &str) -> Vec<Node>;
}

/// A record of a known entity, which can be stored.
pub trait Entity: Record + Kind + Clone + Default + Serialize + DeserializeOwned {
    /// Its description.
    const DEF: &'static EntityDef;

    /// Its id.
    fn id(&self) -> &Id<Self>;

    /// Gives it its id and the time of its creation.
    fn born(&mut self, id: Id<Self>, now: Timestamp);

    /// Takes everything of `other` but its id and times.
    fn become_like(&mut self, other: Self);

    /// Notes that it changed.
    fn touch(&mut self, now: Timestamp);

    /// Takes an id out of a field; see [`FieldValue::release`](crate::FieldValue::release).
    fn release(&mut self, field: &str, id: &str) -> bool;

    /// Puts an id into a field; see [`FieldValue::refer`](crate::FieldValue::refer).
    fn refer(&mut self, field: &str, id: &str) -> bool;

    /// Notes that it was soft-deleted, or that it no longer is.
    fn set_deleted_at(&mut self, at: Option<Timestamp>);
}

/// Writes one JSON object, field by field, straight to bytes.
pub struct JsonObject<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> JsonObject<'a> {
    /// Opens an object.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        JsonObject { out, is_empty: true }
    }

    /// Writes a field's name; its value must follow.
    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        json_value(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// Writes a field.
    pub fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        json_value(self.name(name), value);
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes `value` as JSON.
pub fn json_value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value)
        .expect("records have text keys, and memory does not fail to be written");
}

/// Reads a field of an update: absent leaves it, null is a value.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Serialises a value for storage: MessagePack with field names, after one byte for the version of the
/// encoding.
pub fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(ENCODING);
    rmp_serde::encode::write_named(&mut bytes, value).expect("records serialise into memory");
    bytes
}

/// Deserialises what [`encode`] wrote. `space` and `key` are for the error.
pub fn decode<T: DeserializeOwned>(space: Space, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    let corrupt = |reason| StoreError::Corrupt { space, key: key.to_owned(), reason };
    match bytes.split_first() {
        Some((&ENCODING, rest)) => rmp_serde::from_slice(rest).map_err(|error| corrupt(error.to_string())),
        Some((version, _)) => Err(corrupt(format!("encoding {version} is from a newer version"))),
        None => Err(corrupt("it is empty".into())),
    }
}

/// The bytes that are stored for a record.
pub fn encode_record<T: Entity>(record: &T) -> Vec<u8> {
    encode_version(T::DEF.version(), record)
}

/// Reads what [`encode_record`] wrote, also as an earlier version of the record.
pub fn decode_record<T: Entity>(space: Space, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    decode_version(space, key, bytes, T::DEF.version(), |from, fields| upgrade(T::DEF.history, from, fields))
}
