//! Versions of records: what changed from each to the next, and how one that was stored by an earlier program
//! is read.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Space, StoreError, decode, encode, entity::ENCODING};

/// The first byte of a record of version 2 and later: its version follows, in two bytes.
const VERSIONED: u8 = 2;

/// The steps from each version of a record to the next, the first to version 2. The version is how many there
/// are, plus one. Steps stay for as long as a folder may be opened that is older than they are.
pub type History = &'static [&'static [Step]];

/// Something that changed from one version of a record to the next. A field that is new, and that its default
/// fills, is no step. A field inside another one is named by its path, `items.takes.quantity`, also where
/// that leads through lists; what is renamed stays where it is.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A field has another name.
    Renamed {
        /// As it was called.
        from: &'static str,
        /// As it is called.
        to: &'static str,
    },
    /// A field is gone, and with it what was in it.
    Dropped(&'static str),
    /// A field is new, and has this value in records that are older than it is.
    Filled(&'static str, fn() -> Value),
    /// The fields become others, as they are stored: times are numbers of milliseconds, decimals are text. An
    /// error says what is wrong with the record.
    Changed(fn(&mut Map<String, Value>) -> Result<(), String>),
}

/// The version that a history leads to.
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

    /// The path of a field after this step, of one in a field that it renames as well; nothing, if it is
    /// gone.
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

/// Shows the objects that hold the field at the end of a path: each one, where the path leads through a list.
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

/// The fields that the steps of a history lead to, as far as they can be told: not beyond a function.
pub fn leads_to(history: History) -> impl Iterator<Item = String> {
    let steps: Vec<&'static Step> = history.iter().copied().flatten().collect();
    (0..steps.len()).filter_map(move |place| {
        let (Step::Renamed { to: field, .. } | Step::Filled(field, _)) = steps[place] else { return None };
        let rest = &steps[place + 1..];
        let is_known = !rest.iter().any(|it| matches!(it, Step::Changed(_)));
        rest.iter().try_fold((*field).to_owned(), |name, step| step.name_after(&name)).filter(|_| is_known)
    })
}

/// Brings the fields of a record from this version to that of its history.
pub fn upgrade(history: History, version: u16, fields: &mut Map<String, Value>) -> Result<(), String> {
    let steps = history.iter().skip(usize::from(version).saturating_sub(1));
    steps.copied().flatten().try_for_each(|step| step.apply(fields))
}

/// The bytes that are stored for a record of this version.
pub fn encode_version(version: u16, record: &impl Serialize) -> Vec<u8> {
    let mut bytes = encode(record);
    if version > 1 {
        let [high, low] = version.to_be_bytes();
        bytes.splice(..1, [VERSIONED, high, low]);
    }
    bytes
}

/// The version of a stored record.
pub fn stored_version(bytes: &[u8]) -> u16 {
    match bytes {
        [VERSIONED, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 1,
    }
}

/// Reads what [`encode_version`] wrote, now or in an earlier program, whose record `upgrade` brings to
/// `version`.
pub fn decode_version<T: DeserializeOwned>(
    space: Space,
    key: &str,
    bytes: &[u8],
    version: u16,
    upgrade: impl FnOnce(u16, &mut Map<String, Value>) -> Result<(), String>,
) -> Result<T, StoreError> {
    let stored = stored_version(bytes);
    if stored == 1 && version == 1 {
        return decode(space, key, bytes);
    }
    let corrupt = |reason| StoreError::Corrupt { space, key: key.to_owned(), reason };
    if stored > version {
        return Err(corrupt(format!(
            "version {stored} of it was written by a newer program; this one knows {version}"
        )));
    }
    let plain = match bytes {
        [VERSIONED, _, _, record @ ..] => [&[ENCODING], record].concat(),
        _ => bytes.to_vec(),
    };
    if stored == version {
        return decode(space, key, &plain);
    }
    let mut fields: Map<String, Value> = decode(space, key, &plain)?;
    upgrade(stored, &mut fields)
        .map_err(|reason| corrupt(format!("from version {stored} to {version}: {reason}")))?;
    decode(space, key, &encode(&fields))
}
