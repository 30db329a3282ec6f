//! Deserialisation of request bodies: fields that are not those of the record are taken out, the rest is the
//! record.

use atoll_flows::product::IdRef;
use atoll_kernel::{
    Fault,
    serde::{Deserialize, de::DeserializeOwned},
    serde_json::{Error, Map, Value, from_value},
};

/// The fields of a body, or of a record in it.
pub(crate) type Fields = Map<String, Value>;

/// The body of a batch; `delete` holds ids.
#[derive(Default, Deserialize)]
#[serde(default, crate = "atoll_kernel::serde")]
pub(crate) struct Batch {
    pub(crate) create: Vec<Fields>,
    pub(crate) update: Vec<Fields>,
    pub(crate) delete: Vec<String>,
}

/// Takes the id out of the fields of a record in a batch.
pub(crate) fn take_id(fields: &mut Fields) -> Result<String, Fault> {
    Ok(take(fields, "id")?.unwrap_or_default())
}

/// Removes fields that are null, so that they get their defaults.
pub(crate) fn default_nulls(fields: &mut Fields) {
    fields.retain(|_, value| !value.is_null());
}

/// Takes out a field that the record does not have, or has with another meaning.
pub(crate) fn take<T: DeserializeOwned>(fields: &mut Fields, name: &str) -> Result<Option<T>, Fault> {
    fields.remove(name).map_or(Ok(None), |value| from_value(value).map(Some).map_err(not_read))
}

/// Takes out references (`[{ "id": … }]`), as ids.
pub(crate) fn take_ids<T: From<String>>(fields: &mut Fields, name: &str) -> Result<Option<Vec<T>>, Fault> {
    let refs: Option<Vec<IdRef>> = take(fields, name)?;
    Ok(refs.map(|refs| refs.into_iter().map(|it| it.id.into()).collect()))
}

/// Deserialises the fields into a record, or into its patch.
pub(crate) fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, Fault> {
    from_value(Value::Object(fields)).map_err(not_read)
}

fn not_read(error: Error) -> Fault {
    Fault::invalid(format!("Invalid request: {error}"))
}
