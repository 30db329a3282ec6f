//! Records and their metadata: entities, serialisation to JSON and to stored bytes. `kernel::entity!` defines
//! one.

use std::{any::Any, sync::Arc};

use atoll_values::{Id, Kind, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::{
    FieldKind, History, Scalar, ShapeNumber, Space, StoreError, decode_version, encode_version, upgrade,
    version,
};

/// The first byte of a stored value, which tells its encoding. 1: MessagePack with the names of the fields;
/// 2: the same after the version of the record, as older programs wrote it; 3: without names, after the
/// version and the number of the shape, see `history.rs`.
pub(crate) const ENCODING: u8 = 1;

/// A record of any entity.
pub type Node = Arc<dyn Record>;

/// The static definition of an entity.
#[derive(Debug)]
pub struct EntityDef {
    /// `sales_channel`: the name in queries and links, and of the space of the table.
    pub name: Space,
    /// `sales_channels`: the plural, for lists.
    pub plural: &'static str,
    /// `sc`: the prefix of ids.
    pub prefix: &'static str,
    /// `SalesChannel`: the name in error messages.
    pub label: &'static str,
    /// Description for OpenAPI: the doc comment of the record.
    pub text: &'static str,
    /// The primary key on the wire: `id`, except for currencies and countries.
    pub key: &'static str,
    /// The stored fields, in the order of serialisation.
    pub fields: &'static [&'static str],
    /// The types of these fields, in the same order.
    pub kinds: &'static [FieldKind],
    /// Descriptions of these fields, in the same order: their doc comments. Empty for fields without one.
    pub texts: &'static [&'static str],
    /// Stored fields that are never shown in answers.
    pub hidden: &'static [&'static str],
    /// Fields that `q` searches.
    pub search: &'static [&'static str],
    /// Embedded records.
    pub embeds: &'static [Embed],
    /// Fields that are computed from the record on request.
    pub computed: &'static [&'static str],
    /// What a computed field holds, and its description; both are empty for other fields.
    pub computed_field: fn(&str) -> (FieldKind, &'static str),
    /// Computed fields that `*` does not include.
    pub on_request: &'static [&'static str],
    /// The space of soft-deleted rows.
    pub deleted: Space,
    /// The migrations of records from each version to the next.
    pub history: History,
}

impl EntityDef {
    /// Its records as a type of stored values.
    pub const fn kind(&self) -> FieldKind {
        FieldKind::Fields { names: self.fields, kinds: self.kinds }
    }

    /// The current version of the record's format.
    pub fn version(&self) -> u16 {
        version(self.history)
    }

    /// The description of a field; empty if there is none.
    pub fn text_of(&self, field: &str) -> &'static str {
        let index = self.fields.iter().position(|it| *it == field);
        index.and_then(|it| self.texts.get(it)).copied().unwrap_or_default()
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

/// A field that embeds records of another entity.
#[derive(Debug)]
pub struct Embed {
    /// The name of the field.
    pub name: &'static str,
    /// Embeds a list, or at most one record.
    pub many: bool,
    /// The entity of the embedded records.
    pub entity: fn() -> &'static EntityDef,
}

/// A record of any entity, type-erased.
pub trait Record: Any + Send + Sync {
    /// The definition of its entity.
    fn def(&self) -> &'static EntityDef;

    /// The value of its primary key.
    fn key(&self) -> &str;

    /// The value of a field, for filters and sorting; null for unknown fields.
    fn scalar(&self, field: &str) -> Scalar<'_>;

    /// Serialises the fields of `def().fields` for which `mask` is true.
    fn write(&self, mask: &[bool], out: &mut JsonObject<'_>);

    /// Writes its computed fields, as far as they are asked for.
    fn compute(&self, shown: &mut ComputedFields<'_>);

    /// The embedded records of a field.
    fn embedded(&self, embed: &str) -> Vec<Node>;
}

/// A record of a statically known entity, which can be stored.
pub trait Entity: Record + Kind + Clone + Default + Serialize + DeserializeOwned {
    /// The definition of the entity.
    const DEF: &'static EntityDef;

    /// The id of the record.
    fn id(&self) -> &Id<Self>;

    /// Initialises a new record: sets its id, `created_at` and `updated_at`.
    fn init(&mut self, id: Id<Self>, now: Timestamp);

    /// Replaces all fields except the id and the timestamps by those of `other`.
    fn assign(&mut self, other: Self);

    /// Sets `updated_at`.
    fn touch(&mut self, now: Timestamp);

    /// Removes an id from a foreign key; see [`FieldValue::release`](crate::FieldValue::release).
    fn release(&mut self, field: &str, id: &str) -> bool;

    /// Adds an id to a foreign key; see [`FieldValue::refer`](crate::FieldValue::refer).
    fn refer(&mut self, field: &str, id: &str) -> bool;

    /// Sets or clears `deleted_at`.
    fn set_deleted_at(&mut self, at: Option<Timestamp>);
}

/// Serialises one JSON object, field by field, straight to bytes.
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

    /// Writes the name of a field; the caller writes the value to the returned buffer.
    pub fn name(&mut self, name: &str) -> &mut Vec<u8> {
        begin_field(self.out, &mut self.is_empty, name);
        self.out
    }

    /// Writes a field and its value.
    pub fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        json_value(self.name(name), value);
    }

    /// For the computed fields of a record, of which those with these names are written. The names are
    /// sorted.
    pub fn computed<'b>(&'b mut self, selected: &'b [&'static str]) -> ComputedFields<'b> {
        ComputedFields { selected, out: self.out, is_empty: &mut self.is_empty }
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// The computed fields of a record on their way into a JSON object: those that nobody asks for cost nothing.
pub struct ComputedFields<'a> {
    selected: &'a [&'static str],
    out: &'a mut Vec<u8>,
    is_empty: &'a mut bool,
}

impl ComputedFields<'_> {
    /// Writes a field and its value, if it is asked for.
    pub fn field(&mut self, name: &'static str, value: impl Serialize) {
        if self.selected.binary_search(&name).is_ok() {
            begin_field(self.out, self.is_empty, name);
            json_value(self.out, &value);
        }
    }
}

/// Writes what stands before the value of a field.
fn begin_field(out: &mut Vec<u8>, is_empty: &mut bool, name: &str) {
    if !std::mem::replace(is_empty, false) {
        out.push(b',');
    }
    json_value(out, name);
    out.push(b':');
}

/// Writes `value` as JSON.
pub fn json_value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value)
        .expect("records have text keys, and memory does not fail to be written");
}

/// Deserialises a field of an update in which null is a value: absent is `None`, null is `Some(null)`.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Serialises `value` to its stored form, with the names of its fields.
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

/// Serialises a record to its stored form, with its version.
pub fn encode_record<T: Entity>(record: &T) -> Vec<u8> {
    encode_version(T::DEF.version(), shape_of::<T>(), record)
}

/// Deserialises what [`encode_record`] wrote, and migrates records of earlier versions.
pub fn decode_record<T: Entity>(space: Space, key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    decode_version(space, key, bytes, T::DEF.version(), shape_of::<T>(), |from, fields| {
        upgrade(T::DEF.history, from, fields)
    })
}

/// The number of the shape of a record, computed by the compiler.
fn shape_of<T: Entity>() -> ShapeNumber {
    const { T::DEF.kind().shape_number() }
}
