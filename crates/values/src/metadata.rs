//! Metadata: free-form JSON that users attach to a record.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Decimal;

/// A JSON object, or null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(pub Option<Map<String, Value>>);

impl Metadata {
    /// The metadata after an update: keys of `patch` are merged, `""` removes a key, null and `{}` replace
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

    /// Turns null into `{}`.
    pub fn or_empty(self) -> Metadata {
        Metadata(Some(self.0.unwrap_or_default()))
    }

    /// The size as JSON, in bytes.
    pub fn n_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |map| serde_json::to_vec(map).map_or(usize::MAX, |json| json.len()))
    }

    /// Equality that ignores the difference between null and `{}`, and between spellings of a number: `1`,
    /// `1.0`.
    pub fn same_as(&self, other: &Metadata) -> bool {
        let empty = Map::new();
        same_fields(self.0.as_ref().unwrap_or(&empty), other.0.as_ref().unwrap_or(&empty))
    }
}

fn same_fields(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|it| same(value, it)))
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || Decimal::from_json(a).is_some_and(|a| Some(a) == Decimal::from_json(b))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => same_fields(a, b),
        _ => a == b,
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
    fn metadata_updates_merge() {
        check(r#"{"a":1}"#, r#"{"b":2}"#, r#"{"a":1,"b":2}"#);
        check(r#"{"a":1,"b":2}"#, r#"{"a":""}"#, r#"{"b":2}"#);
        check(r#"{"a":1}"#, "{}", "{}");
        check(r#"{"a":1}"#, "null", "null");
        check("null", r#"{"a":null}"#, r#"{"a":null}"#);
    }

    #[test]
    fn metadata_numbers_compare_by_value() {
        let read = |it: &str| serde_json::from_str::<Metadata>(it).expect(it);
        let same = |a: &str, b: &str| read(a).same_as(&read(b));
        assert!(same(r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1.0,{"b":2e0}]}"#));
        assert!(same("null", "{}"));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1.5}"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":"1"}"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":1}"#));
    }
}
