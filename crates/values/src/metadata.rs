//! Free data that users hang on a record.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON object, or null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(pub Option<Map<String, Value>>);

impl Metadata {
    /// What an update with `patch` leaves: keys are merged, `""` removes a key, null and `{}` replace
    /// everything (the wire's rule since 2.21).
    pub fn patched(self, patch: Metadata) -> Metadata {
        let Some(patch) = patch.0 else { return Metadata(None) };
        if patch.is_empty() {
            return Metadata(Some(patch));
        }
        let mut merged = self.0.unwrap_or_default();
        for (key, value) in patch {
            if value == "" {
                merged.remove(&key);
            } else {
                merged.insert(key, value);
            }
        }
        Metadata(Some(merged))
    }

    /// `{}` in the place of null.
    pub fn or_empty(self) -> Metadata {
        Metadata(Some(self.0.unwrap_or_default()))
    }

    /// How long it is as JSON.
    pub fn n_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |map| serde_json::to_vec(map).map_or(usize::MAX, |json| json.len()))
    }

    /// Equal but for the difference between null and `{}`.
    pub fn same_as(&self, other: &Metadata) -> bool {
        let empty = Map::new();
        self.0.as_ref().unwrap_or(&empty) == other.0.as_ref().unwrap_or(&empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, patch: &str, expect: &str) {
        let read = |it: &str| serde_json::from_str::<Metadata>(it).expect(it);
        assert_eq!(read(before).patched(read(patch)), read(expect));
    }

    #[test]
    fn updates_merge() {
        check(r#"{"a":1}"#, r#"{"b":2}"#, r#"{"a":1,"b":2}"#);
        check(r#"{"a":1,"b":2}"#, r#"{"a":""}"#, r#"{"b":2}"#);
        check(r#"{"a":1}"#, "{}", "{}");
        check(r#"{"a":1}"#, "null", "null");
        check("null", r#"{"a":null}"#, r#"{"a":null}"#);
    }
}
