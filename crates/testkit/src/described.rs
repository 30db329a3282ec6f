//! Validates every answer in a test against the schema of its route in `/openapi.json`.

use std::sync::OnceLock;

use atoll_kernel::{
    Registry,
    http::{Info, openapi},
};
use serde_json::Value;

/// The document `/openapi.json`, and its paths by segments.
struct Description {
    document: Value,
    templates: Vec<Vec<String>>,
}

const INFO: Info<'_> = Info { title: "Atoll", version: "test", text: "" };

fn description() -> &'static Description {
    static DESCRIPTION: OnceLock<Description> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        let registry = Registry::linked().expect("a registry");
        let document = openapi(&INFO, &registry.routes, Registry::graph());
        let paths = document["paths"].as_object().expect("paths").keys();
        let templates = paths.map(|it| it.split('/').map(str::to_owned).collect()).collect();
        Description { document, templates }
    })
}

/// Loads the document beforehand, so that no request waits for it: some tests measure time.
pub(crate) fn prepare() {
    description();
}

/// Validates an answer of the route of this path, if there is one.
pub(crate) fn check(method: &str, path: &str, status: u16, json: &Value) {
    let Description { document, templates } = description();
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |template: &&Vec<String>| {
        template.len() == segments.len()
            && template.iter().zip(&segments).all(|(a, b)| a == b || a.starts_with('{'))
    };
    // A literal segment takes precedence over a parameter.
    let n_parameters = |template: &&Vec<String>| template.iter().filter(|it| it.starts_with('{')).count();
    let method = method.to_lowercase();
    let of_method = |template: &&Vec<String>| document["paths"][template.join("/")].get(&method).is_some();
    let found = templates.iter().filter(fits).filter(of_method).min_by_key(n_parameters);
    let Some(template) = found else { return };
    let responses = &document["paths"][template.join("/")][&method]["responses"];
    let Some(response) = responses.get(status.to_string()) else {
        panic!("{method} {path} answers {status}, which is not described: {json}");
    };
    let response = resolved(document, response).unwrap_or_else(|why| panic!("{why}"));
    let schema = &response["content"]["application/json"]["schema"];
    if let Err(why) = fits_schema(document, schema, json) {
        panic!("{method} {path} answers {status} with what is not described: {why}");
    }
}

/// What a `$ref` leads to; anything else is itself.
fn resolved<'a>(document: &'a Value, it: &'a Value) -> Result<&'a Value, String> {
    let Some(reference) = it["$ref"].as_str() else { return Ok(it) };
    let target = document.pointer(reference.trim_start_matches('#'));
    target.ok_or_else(|| format!("{reference} leads nowhere"))
}

/// Validates a value against a schema, and that every field of a record is described; the subset of JSON
/// Schema that our document uses.
fn fits_schema(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let is_record = schema["$ref"].is_string();
    let schema = resolved(document, schema)?;
    if let Some(any) = schema["anyOf"].as_array() {
        let wrong: Vec<String> = any.iter().filter_map(|it| fits_schema(document, it, value).err()).collect();
        return if wrong.len() < any.len() { Ok(()) } else { Err(wrong.join(" and ")) };
    }
    let is_right = match schema["type"].as_str() {
        None => true,
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some("null") => value.is_null(),
        Some(other) => return Err(format!("an unknown type: {other}")),
    };
    if !is_right {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{value} is not among {words:?}"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        value.get(name).ok_or_else(|| format!("`{name}` is missing in {value}"))?;
    }
    for item in value.as_array().into_iter().flatten() {
        fits_schema(document, &schema["items"], item)?;
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let of_name = &schema["properties"][name];
        if is_record && of_name.is_null() {
            return Err(format!("`{name}` is not described"));
        }
        fits_schema(document, of_name, value).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}
