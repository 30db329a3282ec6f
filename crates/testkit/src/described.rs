//! Validates every answer in a test against the schema of its route in `/openapi.json`.

use std::{
    collections::HashMap,
    sync::{Once, OnceLock},
    thread,
};

use atoll_kernel::{
    FaultKind, Registry, Timestamp,
    http::{Info, openapi},
};
use serde_json::{Value, json};

/// The document `/openapi.json`, and its paths by segments.
struct Description {
    document: Value,
    templates: Vec<Vec<String>>,
}

fn description() -> &'static Description {
    static DESCRIPTION: OnceLock<Description> = OnceLock::new();
    DESCRIPTION.get_or_init(|| {
        let registry = Registry::linked().expect("a registry");
        let info = Info { title: "Atoll", version: "test", text: "", examples: &HashMap::new() };
        let document = openapi(&info, &registry.routes, Registry::graph());
        let paths = document["paths"].as_object().expect("paths").keys();
        let templates = paths.map(|it| it.split('/').map(str::to_owned).collect()).collect();
        Description { document, templates }
    })
}

/// Begins to write the document, which takes longer than an application takes to start: the first answer
/// waits for it, if it must.
pub(crate) fn prepare() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| drop(thread::spawn(description)));
}

/// Validates an answer of the route of this path, if there is one.
pub(crate) fn check(method: &str, path: &str, status: u16, json: &Value) {
    let document = &description().document;
    let method = method.to_lowercase();
    let Some(template) = template_of(&method, path) else { return };
    let responses = &document["paths"][template][&method]["responses"];
    // Modules answer with statuses of their own, the core with described ones only.
    let is_own = || json["type"].as_str().is_some_and(|it| !FaultKind::is_wire_type(it));
    let described = responses.get(status.to_string());
    let Some(response) = described.or_else(|| responses.get("default").filter(|_| is_own())) else {
        panic!("{method} {path} answers {status}, which is not described: {json}");
    };
    let response = resolved(document, response).unwrap_or_else(|why| panic!("{why}"));
    let schema = &response["content"]["application/json"]["schema"];
    if let Err(why) = check_schema(document, schema, json) {
        panic!("{method} {path} answers {status} with what is not described: {why}");
    }
}

/// The operation that serves a request, as `POST /admin/products/{id}`, and whether it takes a body.
pub fn operation_of(method: &str, path: &str) -> Option<(String, bool)> {
    let lowercase = method.to_lowercase();
    let template = template_of(&lowercase, path)?;
    let operation = &description().document["paths"][&template][&lowercase];
    Some((format!("{method} {template}"), operation.get("requestBody").is_some()))
}

/// The path of the document that a request goes to; `method` is in lower case.
fn template_of(method: &str, path: &str) -> Option<String> {
    let Description { document, templates } = description();
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |template: &&Vec<String>| {
        template.len() == segments.len()
            && template.iter().zip(&segments).all(|(a, b)| a == b || a.starts_with('{'))
    };
    // A literal segment takes precedence over a parameter.
    let n_parameters = |template: &&Vec<String>| template.iter().filter(|it| it.starts_with('{')).count();
    let of_method = |template: &&Vec<String>| document["paths"][template.join("/")].get(method).is_some();
    let found = templates.iter().filter(fits).filter(of_method).min_by_key(n_parameters);
    found.map(|it| it.join("/"))
}

/// What a `$ref` leads to; anything else is itself.
fn resolved<'a>(document: &'a Value, it: &'a Value) -> Result<&'a Value, String> {
    let Some(reference) = it["$ref"].as_str() else { return Ok(it) };
    let target = document.pointer(reference.trim_start_matches('#'));
    target.ok_or_else(|| format!("{reference} leads nowhere"))
}

/// Validates a value against a schema, and that every field is described where fields are; the subset of JSON
/// Schema that our document uses.
pub fn check_schema(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolved(document, schema)?;
    if let Some(any) = schema["anyOf"].as_array() {
        let wrong: Vec<String> =
            any.iter().filter_map(|it| check_schema(document, it, value).err()).collect();
        return if wrong.len() < any.len() { Ok(()) } else { Err(wrong.join(" and ")) };
    }
    if let Some(all) = schema["allOf"].as_array() {
        let mut whole = json!({ "type": "object", "properties": {}, "required": [] });
        for part in all {
            let part = resolved(document, part)?;
            for (name, it) in part["properties"].as_object().into_iter().flatten() {
                whole["properties"][name] = it.clone();
            }
            let required = part["required"].as_array().cloned().unwrap_or_default();
            whole["required"].as_array_mut().into_iter().for_each(|it| it.extend(required.clone()));
        }
        return check_schema(document, &whole, value);
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
    if schema["format"] == "date-time" && value.as_str().is_some_and(|it| it.parse::<Timestamp>().is_err()) {
        return Err(format!("{value} is no time"));
    }
    let least = [("minimum", false), ("exclusiveMinimum", true)];
    for (name, is_exclusive) in least {
        let (Some(least), Some(number)) = (schema[name].as_f64(), value.as_f64()) else { continue };
        if number < least || is_exclusive && number == least {
            return Err(format!("{value} is too small"));
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        value.get(name).ok_or_else(|| format!("`{name}` is missing in {value}"))?;
    }
    for item in value.as_array().into_iter().flatten() {
        check_schema(document, &schema["items"], item)?;
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let of_name = &schema["properties"][name];
        let is_closed = schema["properties"].is_object();
        if is_closed && of_name.is_null() {
            return Err(format!("`{name}` is not described"));
        }
        check_schema(document, of_name, value).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}
