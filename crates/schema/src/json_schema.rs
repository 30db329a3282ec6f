//! Conversion of the schemas of bodies and parameters to JSON Schema, for OpenAPI.

use serde_json::{Map, Value, json};

use crate::{Body, Field, Filters, Param, ParamKind, Type};

/// The JSON Schema of a body. Unknown fields are refused.
pub fn body_schema(body: Body) -> Value {
    let whole = object_schema(body, true);
    let bare = body.iter().copied().flatten().find(|it| matches!(it.kind, Type::BareList(_)));
    bare.map_or(whole.clone(), |list| json!({ "anyOf": [whole, field_schema(list)] }))
}

fn object_schema(groups: &[&[Field]], is_strict: bool) -> Value {
    let is_accepted = |field: &&Field| !matches!(field.kind, Type::Removed(_));
    let fields = || groups.iter().copied().flatten().filter(is_accepted);
    let properties: Map<String, Value> = fields().map(|it| (it.name.to_owned(), field_schema(it))).collect();
    let required: Vec<&str> = fields().filter(|it| it.required).map(|it| it.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if is_strict {
        schema["additionalProperties"] = false.into();
    }
    schema
}

/// The JSON Schema of the value of a field.
pub fn field_schema(field: &Field) -> Value {
    let mut schema = type_schema(&field.kind);
    if field.nullable {
        schema = json!({ "anyOf": [schema, { "type": "null" }] });
    }
    if !field.text.is_empty() {
        schema["description"] = field.text.into();
    }
    schema
}

fn type_schema(kind: &Type) -> Value {
    match kind {
        Type::Text => json!({ "type": "string" }),
        Type::Email => json!({ "type": "string", "format": "email" }),
        Type::Date => json!({ "type": "string", "format": "date-time" }),
        Type::Number => json!({ "type": "number" }),
        Type::NotNegative => json!({ "type": "number", "minimum": 0 }),
        Type::Positive => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::BoolText => json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["true", "false"] }] }),
        Type::Words(words) => json!({ "type": "string", "enum": words }),
        Type::Record => json!({ "type": "object" }),
        Type::List(item) | Type::BareList(item) => json!({ "type": "array", "items": type_schema(item) }),
        Type::Object(fields) => object_schema(&[fields], false),
        Type::Strict(fields) => object_schema(fields, true),
        Type::OneOf(types) => {
            json!({ "anyOf": types.iter().map(type_schema).collect::<Vec<_>>() })
        }
        Type::Any | Type::Removed(_) => json!({}),
    }
}

/// The JSON Schema of the values of a query parameter.
pub fn param_schema(param: &Param) -> Value {
    let texts = || json!([{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]);
    let operators =
        |of: &str| json!({ "type": "object", "description": format!("Operators on {of}, as `$gte`.") });
    let any_of = |of: Vec<Value>| json!({ "anyOf": of });
    let with = |of: &str| {
        let mut all = texts().as_array().cloned().unwrap_or_default();
        all.push(operators(of));
        any_of(all)
    };
    match &param.kind {
        ParamKind::Any | ParamKind::AnyOrNull => with("texts"),
        ParamKind::Date => with("dates"),
        ParamKind::Number => with("numbers"),
        ParamKind::Many => json!({ "type": "array", "items": { "type": "string" } }),
        ParamKind::Bool => json!({ "type": "boolean" }),
        ParamKind::Words(words) => any_of(vec![
            json!({ "type": "string", "enum": words }),
            json!({ "type": "array", "items": { "type": "string", "enum": words } }),
        ]),
        ParamKind::Nested(inner) => related_schema(inner),
        ParamKind::Related(inner) => any_of(vec![
            json!({ "type": "string" }),
            json!({ "type": "array", "items": { "type": "string" } }),
            related_schema(inner),
        ]),
    }
}

fn related_schema(filters: Filters) -> Value {
    let names: Vec<&str> = filters.iter().map(|it| it.name).collect();
    json!({ "type": "object", "description": format!("Filters on {}.", names.join(", ")) })
}
