//! Lines of an export: stored values as JSON objects, and what enters them into a new store.

use serde_json::{Map, Value};

use crate::{RowError, StoreError, Write};

/// Why a line of an export was not entered.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// What is wrong with it.
    #[error("{0}")]
    Wrong(String),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for LineError {
    fn from(error: StoreError) -> LineError {
        match error {
            StoreError::Corrupt { reason, .. } => LineError::Wrong(reason),
            error => LineError::Store(error),
        }
    }
}

impl From<RowError> for LineError {
    fn from(error: RowError) -> LineError {
        match error {
            RowError::Store(error) => error.into(),
            error => LineError::Wrong(error.to_string()),
        }
    }
}

/// Enters lines of an export, each with its indexes and counters, and without events and projections. The
/// kernel does not hand it on.
pub trait EnterLine {
    /// Enters a line that was written when its records had this version.
    fn enter(&self, tx: &mut dyn Write, version: u16, line: Map<String, Value>) -> Result<(), LineError>;
}

/// Errors: a value has a field that its stored form has not, and which would be lost.
pub fn all_known(line: &Value, stored: &Value) -> Result<(), LineError> {
    match first_lost(line, stored) {
        None => Ok(()),
        Some(path) => Err(LineError::Wrong(format!("`{path}` is unknown to this program"))),
    }
}

fn first_lost(line: &Value, stored: &Value) -> Option<String> {
    match (line, stored) {
        (Value::Object(fields), Value::Object(known)) => fields.iter().find_map(|(name, value)| {
            let Some(known) = known.get(name) else { return Some(name.clone()) };
            first_lost(value, known).map(|path| format!("{name}.{path}"))
        }),
        (Value::Array(items), Value::Array(known)) => {
            items.iter().zip(known).find_map(|(item, known)| first_lost(item, known))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_would_be_lost_are_found_at_any_depth() {
        let stored = json!({ "id": "a", "lines": [{ "id": "b" }, { "id": "c", "more": null }] });
        assert!(all_known(&json!({ "lines": [{ "id": "x" }, { "more": 1 }] }), &stored).is_ok());
        let lost = |line: Value| all_known(&line, &stored).expect_err("it is lost").to_string();
        assert_eq!(lost(json!({ "name": null })), "`name` is unknown to this program");
        assert_eq!(lost(json!({ "lines": [{ "more": 1 }] })), "`lines.more` is unknown to this program");
    }
}
