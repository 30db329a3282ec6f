//! Schema versions of records: the migration steps from each version to the next, and deserialisation of
//! records that an earlier program stored.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{ShapeNumber, Space, StoreError, decode, encode, entity::ENCODING, shape::named};

/// First byte of a record with the names of its fields, of version 2 or later; two bytes with its version
/// follow. Written up to the end of November 2026.
const VERSIONED: u8 = 2;

/// First byte of a value without the names of its fields; two bytes with its version and four with the number
/// of its shape follow.
const SHAPED: u8 = 3;

/// The migration steps from each version to the next, the first ones to version 2. The current version is
/// their number plus one. Steps stay for as long as older data may be opened.
pub type History = &'static [&'static [Step]];

/// One change between two versions of a record. A new field that is filled by its default needs no step. A
/// nested field is named by its path, `items.takes.quantity`, also through lists; a renamed field stays in
/// its object.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A field was renamed.
    Renamed {
        /// The former name.
        from: &'static str,
        /// The current name.
        to: &'static str,
    },
    /// A field was removed, with its value.
    Dropped(&'static str),
    /// A field was added; older records get this value.
    Filled(&'static str, fn() -> Value),
    /// A function changes the fields in their stored form: times are numbers of milliseconds, decimals are
    /// text. Its error says what is wrong with the record.
    Changed(fn(&mut Map<String, Value>) -> Result<(), String>),
}

/// The current version of a history.
pub fn version(history: History) -> u16 {
    u16::try_from(history.len() + 1).expect("fewer than 65,535 versions")
}

impl Step {
    fn apply(&self, fields: &mut Map<String, Value>) -> Result<(), String> {
        match self {
            Step::Renamed { from, to } => within(fields, from, &mut |fields, from| {
                if let Some(value) = fields.remove(from) {
                    fields.insert(last_part(to).to_owned(), value);
                }
            }),
            Step::Dropped(field) => within(fields, field, &mut |fields, field| drop(fields.remove(field))),
            Step::Filled(field, value) => within(fields, field, &mut |fields, field| {
                fields.entry(field).or_insert_with(value);
            }),
            Step::Changed(change) => change(fields)?,
        }
        Ok(())
    }

    /// The path of a field after this step, also if a field around it was renamed; `None` if it was removed.
    pub fn name_after(&self, path: &str) -> Option<String> {
        let below = |field: &str| path.strip_prefix(field).filter(|it| it.is_empty() || it.starts_with('.'));
        match self {
            Step::Renamed { from, to } => {
                Some(below(from).map_or_else(|| path.to_owned(), |it| format!("{to}{it}")))
            }
            Step::Dropped(gone) if below(gone).is_some() => None,
            _ => Some(path.to_owned()),
        }
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}

/// Calls a function with each object that holds the last field of a path: several, if the path leads through
/// a list.
fn within(
    fields: &mut Map<String, Value>,
    path: &str,
    change: &mut dyn FnMut(&mut Map<String, Value>, &str),
) {
    let Some((first, rest)) = path.split_once('.') else { return change(fields, path) };
    match fields.get_mut(first) {
        Some(Value::Object(fields)) => within(fields, rest, change),
        Some(Value::Array(all)) => {
            all.iter_mut().filter_map(Value::as_object_mut).for_each(|it| within(it, rest, change));
        }
        _ => {}
    }
}

/// The paths that the steps of a history lead to, as far as they are known: up to a step by a function.
pub fn leads_to(history: History) -> impl Iterator<Item = String> {
    let steps: Vec<&'static Step> = history.iter().copied().flatten().collect();
    (0..steps.len()).filter_map(move |n| {
        let (Step::Renamed { to: field, .. } | Step::Filled(field, _)) = steps[n] else { return None };
        let rest = &steps[n + 1..];
        let is_known = !rest.iter().any(|it| matches!(it, Step::Changed(_)));
        rest.iter().try_fold((*field).to_owned(), |name, step| step.name_after(&name)).filter(|_| is_known)
    })
}

/// Migrates the fields of a record from this version to the current one.
pub fn upgrade(history: History, version: u16, fields: &mut Map<String, Value>) -> Result<(), String> {
    let steps = history.iter().skip(usize::from(version).saturating_sub(1));
    steps.copied().flatten().try_for_each(|step| step.apply(fields))
}

/// Serialises a record of this version and shape.
pub fn encode_version(version: u16, shape: ShapeNumber, record: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(SHAPED);
    bytes.extend(version.to_be_bytes());
    bytes.extend(shape.to_be_bytes());
    rmp_serde::encode::write(&mut bytes, record).expect("records serialise into memory");
    bytes
}

/// The version of a stored record.
pub fn stored_version(bytes: &[u8]) -> u16 {
    match bytes {
        [VERSIONED | SHAPED, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 1,
    }
}

/// Deserialises what [`encode_version`] wrote, here or in an earlier program; `upgrade` migrates the record
/// to `version`.
pub fn decode_version<T: DeserializeOwned>(
    space: Space,
    key: &str,
    bytes: &[u8],
    version: u16,
    shape: ShapeNumber,
    upgrade: impl FnOnce(u16, &mut Map<String, Value>) -> Result<(), String>,
) -> Result<T, StoreError> {
    let corrupt = |reason| StoreError::Corrupt { space, key: key.to_owned(), reason };
    let stored = stored_version(bytes);
    if let Some((number, value)) = shaped(bytes)
        && number == shape
        && stored == version
    {
        return rmp_serde::from_slice(value).map_err(|error| corrupt(error.to_string()));
    }
    if stored > version {
        return Err(corrupt(format!(
            "version {stored} of it was written by a newer program; this one knows {version}"
        )));
    }
    let named = with_names(bytes).map_err(corrupt)?;
    if stored == version {
        return decode(space, key, &named);
    }
    let mut fields: Map<String, Value> = decode(space, key, &named)?;
    upgrade(stored, &mut fields)
        .map_err(|reason| corrupt(format!("from version {stored} to {version}: {reason}")))?;
    decode(space, key, &encode(&fields))
}

/// The number of the shape of a value without names, and the value.
fn shaped(bytes: &[u8]) -> Option<(ShapeNumber, &[u8])> {
    match bytes {
        [SHAPED, _, _, rest @ ..] => {
            let (number, value) = rest.split_first_chunk()?;
            Some((ShapeNumber::from_be_bytes(*number), value))
        }
        _ => None,
    }
}

/// A stored value as [`encode`] writes it: with the names of its fields, and without its version. Its shape
/// must be known.
pub fn with_names(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if let [VERSIONED, _, _, record @ ..] = bytes {
        return Ok([&[ENCODING], record].concat().into());
    }
    if shaped(bytes).is_none() {
        return Ok(bytes.into());
    }
    Ok(encode(&to_json(bytes)?).into())
}

/// A stored value as JSON, with the names of its fields and in its stored form: times are numbers of
/// milliseconds, decimals are text. Its shape must be known.
pub fn to_json(bytes: &[u8]) -> Result<Value, String> {
    let read = |value: &[u8]| rmp_serde::from_slice(value).map_err(|error| error.to_string());
    match (bytes, shaped(bytes)) {
        ([VERSIONED, _, _, value @ ..] | [ENCODING, value @ ..], _) => read(value),
        (_, Some((number, value))) => named(number, read(value)?),
        _ => Err("its encoding is unknown".to_owned()),
    }
}

/// A value in a stored form that [`decode_version`] reads: of this version, with the names of its fields.
pub fn from_json(version: u16, value: &Value) -> Vec<u8> {
    let mut bytes = vec![VERSIONED];
    bytes.extend(version.to_be_bytes());
    rmp_serde::encode::write(&mut bytes, value).expect("JSON serialises into memory");
    bytes
}
