//! Validation of request bodies against a const schema.

use atoll_values::{Decimal, Timestamp, limits::EMAIL_CHARS_MAX};
use serde_json::{Map, Value};

use crate::{Issues, LongNumbers};

/// The schema of a request body: groups of fields, which several bodies may share. Unknown fields are
/// refused.
pub type Body = &'static [&'static [Field]];

/// A field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key in the object.
    pub name: &'static str,
    /// The type of the value.
    pub kind: Type,
    /// Absent is an error.
    pub required: bool,
    /// Null is accepted.
    pub nullable: bool,
    /// What it is, for OpenAPI. Empty for a field of the record, which has a text of its own.
    pub text: &'static str,
}

/// A field that must be present.
pub const fn required(name: &'static str, kind: Type) -> Field {
    Field { name, kind, required: true, nullable: false, text: "" }
}

/// A field that may be absent.
pub const fn optional(name: &'static str, kind: Type) -> Field {
    Field { name, kind, required: false, nullable: false, text: "" }
}

impl Field {
    /// Makes the field nullable.
    pub const fn or_null(mut self) -> Field {
        self.nullable = true;
        self
    }

    /// Says what it is.
    pub const fn about(mut self, text: &'static str) -> Field {
        self.text = text;
        self
    }
}

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// A string.
    Text,
    /// A string that is an e-mail address.
    Email,
    /// A string that is a date, or a date and time, as [`Timestamp`] parses it.
    Date,
    /// A number of at most [`NUMBER_DIGITS_MAX`](atoll_values::limits::NUMBER_DIGITS_MAX) digits.
    Number,
    /// A number that is zero or more.
    NotNegative,
    /// A number above zero.
    Positive,
    /// A boolean.
    Bool,
    /// A boolean, or `"true"` or `"false"` in any case. It is converted to a boolean.
    BoolText,
    /// One of these strings.
    Words(&'static [&'static str]),
    /// A JSON object of any content.
    Record,
    /// A list.
    List(&'static Type),
    /// A list that may also be sent bare, as the whole body.
    BareList(&'static Type),
    /// An object of these fields. Unknown fields are removed without an error.
    Object(&'static [Field]),
    /// An object of these fields. Unknown fields are refused.
    Strict(Body),
    /// One of these types. If none fits, the errors are those of the last.
    OneOf(&'static [Type]),
    /// Any JSON, checked by the handler.
    Any,
    /// A field that was removed from the API: sending it is an error with this message.
    Removed(&'static str),
}

impl Type {
    /// The name of the type in error messages of the wire.
    fn name(&self) -> &'static str {
        match self {
            Type::Text | Type::Email => "string",
            Type::Date => "date",
            Type::Number | Type::NotNegative | Type::Positive => "number",
            Type::Bool | Type::BoolText => "boolean",
            Type::Words(_) => "enum",
            Type::Record => "record",
            Type::List(_) | Type::BareList(_) => "array",
            Type::Object(_) | Type::Strict(_) => "object",
            Type::OneOf(_) | Type::Any | Type::Removed(_) => "any",
        }
    }

    /// Is the number within the bounds of the type?
    fn is_in_range(&self, number: Decimal) -> bool {
        match self {
            Type::NotNegative => !number.is_negative(),
            Type::Positive => number > Decimal::ZERO,
            _ => true,
        }
    }

    fn check(&self, value: &mut Value, state: &mut Validation<'_>) {
        match (self, &mut *value) {
            (Type::Text, Value::String(_))
            | (Type::Bool | Type::BoolText, Value::Bool(_))
            | (Type::Record, Value::Object(_)) => {}
            (Type::Any, _) => {
                if state.long_numbers.has_below(&state.path) {
                    state.issues.too_long(&state.path);
                }
            }
            (Type::Removed(why), _) => state.issues.add((*why).into()),
            (Type::OneOf(types), value) => {
                let before = std::mem::take(&mut state.issues);
                let mut last = Issues::default();
                for kind in *types {
                    let mut read = value.clone();
                    kind.check(&mut read, state);
                    last = std::mem::take(&mut state.issues);
                    if last.is_empty() {
                        *value = read;
                        break;
                    }
                }
                state.issues = before;
                state.issues.append(last);
            }
            (Type::Email, Value::String(text)) => {
                if !is_email(text) {
                    state.issues.add("Invalid email address".into());
                }
            }
            (Type::Date, Value::String(text)) if text.parse::<Timestamp>().is_ok() => {}
            (Type::Number | Type::NotNegative | Type::Positive, Value::Number(number)) => {
                let number = Decimal::from_json(number).filter(|it| it.is_short());
                match number.filter(|_| !state.long_numbers.has(&state.path)) {
                    None => state.issues.too_long(&state.path),
                    Some(number) if !self.is_in_range(number) => state.issues.too_small(&state.path, "0"),
                    Some(_) => {}
                }
            }
            (Type::BoolText, Value::String(text)) if text.eq_ignore_ascii_case("true") => {
                *value = true.into()
            }
            (Type::BoolText, Value::String(text)) if text.eq_ignore_ascii_case("false") => {
                *value = false.into()
            }
            (Type::Words(words), Value::String(word)) if words.contains(&word.as_str()) => {}
            (Type::Words(words), _) => state.issues.not_among(&state.path, words, value),
            (Type::List(item) | Type::BareList(item), Value::Array(items)) => {
                for (index, value) in items.iter_mut().enumerate() {
                    state.path.push(index.to_string());
                    item.check(value, state);
                    state.path.pop();
                }
            }
            (Type::Object(fields), Value::Object(object)) => check_fields(&[fields], false, object, state),
            (Type::Strict(fields), Value::Object(object)) => check_fields(fields, true, object, state),
            (kind, _) => state.issues.wrong_type(&state.path, kind.name(), value),
        }
    }
}

/// The state of a validation: the current path, and the errors so far.
struct Validation<'a> {
    path: Vec<String>,
    long_numbers: &'a LongNumbers,
    issues: Issues,
}

/// Validates a body and converts its [`Type::BoolText`] fields. An absent body counts as an empty object.
///
/// A parsed value does not tell which of its numbers the parser has rounded; `long_numbers` does.
pub fn check(body: Body, mut value: Value, long_numbers: &LongNumbers) -> Result<Value, Issues> {
    let mut state = Validation { path: Vec::new(), long_numbers, issues: Issues::default() };
    if long_numbers.are_too_many() {
        state.issues.too_many_long();
        return Err(state.issues);
    }
    let bare = || body.iter().copied().flatten().find(|it| matches!(it.kind, Type::BareList(_)));
    if value.is_array()
        && let Some(field) = bare()
    {
        value = Value::Object(Map::from_iter([(field.name.to_owned(), value)]));
    }
    match &mut value {
        Value::Object(object) => check_fields(body, true, object, &mut state),
        Value::Null => {
            let mut object = Map::new();
            check_fields(body, true, &mut object, &mut state);
            value = Value::Object(object);
        }
        _ => state.issues.required(&[]),
    }
    if state.issues.is_empty() { Ok(value) } else { Err(state.issues) }
}

fn check_fields(
    groups: &[&[Field]],
    strict: bool,
    object: &mut Map<String, Value>,
    state: &mut Validation<'_>,
) {
    let known = |key: &str| groups.iter().copied().flatten().any(|field| field.name == key);
    for field in groups.iter().copied().flatten() {
        state.path.push(field.name.to_owned());
        match object.get_mut(field.name) {
            None if field.required => state.issues.required(&state.path),
            Some(Value::Null) if field.nullable => {}
            Some(value) => field.kind.check(value, state),
            None => {}
        }
        state.path.pop();
    }
    if strict {
        let unknown: Vec<&str> = object.keys().map(String::as_str).filter(|key| !known(key)).collect();
        if !unknown.is_empty() {
            state.issues.unknown(&unknown);
        }
    } else {
        object.retain(|key, _| known(key));
    }
}

/// A local part, an `@`, and a domain with a dot: equivalent to the check of the wire.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |it: &str| !it.is_empty() && !it.starts_with('.') && !it.ends_with('.') && !it.contains("..");
    text.chars().count() <= EMAIL_CHARS_MAX
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && !text.contains(|it: char| it.is_whitespace() || it.is_control())
        && local.bytes().filter(|it| *it == b'@').count() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Body = &[&[
        required("name", Type::Text),
        optional("note", Type::Text).or_null(),
        optional("on", Type::Bool),
        optional("off", Type::BoolText),
        optional("metadata", Type::Record).or_null(),
        optional("status", Type::Words(&["draft", "live"])),
        optional("add", Type::List(&Type::Text)),
        optional("items", Type::List(&Type::Object(&[required("quantity", Type::Positive)]))),
        optional("address", Type::Strict(&[&[required("line", Type::Text)]])),
        optional("email", Type::Email),
        optional("any", Type::Any),
        optional("from", Type::Date).or_null(),
        optional("tax", Type::Removed("There is no 'tax' any more.")),
        optional("tag", Type::OneOf(&[Type::Text, Type::Strict(&[&[required("value", Type::Text)]])])),
    ]];

    #[track_caller]
    fn check_body(json: &str, expect: &str) {
        let value = serde_json::from_str(json).expect(json);
        let long_numbers = LongNumbers::of(json);
        let got = check(BODY, value, &long_numbers)
            .map_or_else(|issues| issues.to_string(), |value| value.to_string());
        assert_eq!(got, expect);
    }

    #[test]
    fn valid_bodies_pass() {
        check_body(r#"{"name":"x","note":null,"on":true}"#, r#"{"name":"x","note":null,"on":true}"#);
        // Metadata is kept as the parser reads it.
        check_body(
            r#"{"name":"x","metadata":{"a":1.0000000000000001}}"#,
            r#"{"metadata":{"a":1.0},"name":"x"}"#,
        );
        check_body(r#"{"name":"x","off":"TRUE"}"#, r#"{"name":"x","off":true}"#);
        check_body(
            r#"{"name":"x","items":[{"quantity":2,"x":1}]}"#,
            r#"{"items":[{"quantity":2}],"name":"x"}"#,
        );
    }

    #[test]
    fn invalid_bodies_report_the_wire_messages() {
        check_body("{}", "Invalid request: Field 'name' is required");
        check_body("null", "Invalid request: Field 'name' is required");
        check_body("[1]", "Invalid request: Field '' is required");
        check_body(
            r#"{"name":null}"#,
            "Invalid request: Expected type: 'string' for field 'name', got: 'null'",
        );
        check_body(
            r#"{"name":"x","metadata":[1]}"#,
            "Invalid request: Expected type: 'record' for field 'metadata', got: '1'",
        );
        check_body(r#"{"name":"x","foo":1,"bar":2}"#, "Invalid request: Unrecognized fields: 'bar, foo'");
        check_body(
            r#"{"name":"x","status":"dead"}"#,
            "Invalid request: Expected: 'draft, live' for field 'status', but got: 'dead'",
        );
        check_body(r#"{"name":"x","add":[1]}"#, "Invalid request: Field 'add, 0' is required");
        check_body(
            r#"{"name":"x","address":{"line":1}}"#,
            "Invalid request: Expected type: 'string' for field 'address, line', got: '1'",
        );
        check_body(
            r#"{"name":"x","items":[{"quantity":0}]}"#,
            "Invalid request: Value for field 'items, 0, quantity' too small, expected at least: '0'",
        );
        check_body(
            r#"{"name":1,"on":2,"add":3,"email":"a"}"#,
            "Invalid request: Expected type: 'string' for field 'name', got: '1'; \
             Expected type: 'boolean' for field 'on', got: '2'; Expected type: 'array' for field 'add', got: '3'",
        );
        check_body(
            r#"{"name":"x","address":{"line":"a","x":1}}"#,
            "Invalid request: Unrecognized fields: 'x'",
        );
        let long = format!("{}@b.co", "a".repeat(EMAIL_CHARS_MAX));
        for email in [&*long, "a", "a@b", "@b.co", "a@.co", "a b@c.de", "a@@c.de"] {
            check_body(
                &format!(r#"{{"name":"x","email":"{email}"}}"#),
                "Invalid request: Invalid email address",
            );
        }
        check_body(
            r#"{"name":"x","from":"soon"}"#,
            "Invalid request: Expected type: 'date' for field 'from', got: 'soon'",
        );
        check_body(r#"{"name":"x","from":"9999-12-31"}"#, r#"{"from":"9999-12-31","name":"x"}"#);
        check_body(r#"{"name":"x","email":"a@b.co"}"#, r#"{"email":"a@b.co","name":"x"}"#);
        check_body(r#"{"name":"x","tag":"a"}"#, r#"{"name":"x","tag":"a"}"#);
        check_body(r#"{"name":"x","tag":{"value":"a"}}"#, r#"{"name":"x","tag":{"value":"a"}}"#);
        check_body(r#"{"name":"x","tag":{}}"#, "Invalid request: Field 'tag, value' is required");
        check_body(
            r#"{"name":"x","tag":1}"#,
            "Invalid request: Expected type: 'object' for field 'tag', got: '1'",
        );
        for quantity in ["1234567890123456", "1.0000000000000001", "1e15", "1e-16", "1e400"] {
            // The parser refuses numbers beyond the range of a float.
            if serde_json::from_str::<Value>(quantity).is_ok() {
                check_body(
                    &format!(r#"{{"name":"x","items":[{{"quantity":1}},{{"quantity":{quantity}}}]}}"#),
                    "Invalid request: Value for field 'items, 1, quantity' has more than 15 digits",
                );
            }
        }
        check_body(
            r#"{"name":"x","any":{"a":[1.0000000000000001]}}"#,
            "Invalid request: Value for field 'any' has more than 15 digits",
        );
        // Beyond the limit no paths are collected.
        let many = vec!["1e16"; 1_001].join(",");
        check_body(
            &format!(r#"{{"name":"x","metadata":{{"a":[{many}]}}}}"#),
            "Invalid request: The body has more than 1000 numbers of more than 15 digits",
        );
        check_body(r#"{"name":"x","tax":null}"#, "Invalid request: There is no 'tax' any more.");
    }
}
