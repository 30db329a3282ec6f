//! Validation errors of a request, and the messages by which the wire reports them.

use std::fmt;

use atoll_values::limits::{LONG_NUMBERS_MAX, NUMBER_DIGITS_MAX};
use serde_json::Value;

/// Errors that one answer names; the others are dropped.
const N_REPORTED_MAX: usize = 3;

/// Validation errors in the order of the schema. Displays as the message of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issues(Vec<String>);

impl Issues {
    /// No errors were found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an error. The text is that of the wire.
    pub fn add(&mut self, issue: String) {
        self.0.push(issue);
    }

    pub(crate) fn append(&mut self, other: Issues) {
        self.0.extend(other.0);
    }

    pub(crate) fn required(&mut self, path: &[String]) {
        self.add(format!("Field '{}' is required", path.join(", ")));
    }

    /// The value has the wrong type. The original looks the value up by its path, and reports what is in a
    /// list as missing. Clients know the text, so it stays.
    pub(crate) fn wrong_type(&mut self, path: &[String], expected: &str, got: &Value) {
        if path.is_empty() || is_in_list(path) {
            return self.required(path);
        }
        let field = path.join(", ");
        self.add(format!("Expected type: '{expected}' for field '{field}', got: '{}'", js_string(got)));
    }

    pub(crate) fn not_among(&mut self, path: &[String], words: &[&str], got: &Value) {
        let (words, field) = (words.join(", "), path.join(", "));
        self.add(format!("Expected: '{words}' for field '{field}', but got: '{}'", js_string(got)));
    }

    pub(crate) fn too_small(&mut self, path: &[String], least: &str) {
        self.add(format!("Value for field '{}' too small, expected at least: '{least}'", path.join(", ")));
    }

    pub(crate) fn too_long(&mut self, path: &[String]) {
        let field = path.join(", ");
        self.add(format!("Value for field '{field}' has more than {NUMBER_DIGITS_MAX} digits"));
    }

    pub(crate) fn too_many_long(&mut self) {
        self.add(format!(
            "The body has more than {LONG_NUMBERS_MAX} numbers of more than {NUMBER_DIGITS_MAX} digits"
        ));
    }

    pub(crate) fn unknown(&mut self, fields: &[&str]) {
        self.add(format!("Unrecognized fields: '{}'", fields.join(", ")));
    }
}

impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<&str> = self.0.iter().take(N_REPORTED_MAX).map(String::as_str).collect();
        write!(f, "Invalid request: {}", shown.join("; "))
    }
}

/// A value as JavaScript converts it to a string.
fn js_string(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(js_string).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".into(),
        other => other.to_string(),
    }
}

/// Does the path go through an element of a list?
fn is_in_list(path: &[String]) -> bool {
    path.iter().any(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
}
