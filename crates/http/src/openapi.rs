//! The route table as an OpenAPI 3.1 document.

use atoll_query::Graph;
use atoll_schema::{body_schema, query_parameters};
use serde_json::{Map, Value, json};

use crate::{Answer, App, Auth, Method, Route, answers::Answers};

/// Generates the document for these routes.
pub fn openapi<A: App>(title: &str, version: &str, routes: &[&'static Route<A>], graph: &Graph) -> Value {
    let mut paths = Map::new();
    let mut answers = Answers::new(graph);
    for route in routes {
        let path = paths.entry(template(route.path)).or_insert_with(|| json!({}));
        path[verb(route.method)] = operation(route, &mut answers);
    }
    let mut schemas = answers.components();
    schemas.insert("Error".into(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title, "version": version,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The token of a user, or of a customer." },
                "secret_key": { "type": "http", "scheme": "basic", "description": "A secret API key as the user name." },
                "publishable_key": { "type": "apiKey", "in": "header", "name": "x-publishable-api-key" },
            },
            "schemas": schemas,
        },
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": {
            "type": { "type": "string" }, "message": { "type": "string" }, "code": { "type": "string" },
        },
    })
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Delete => "delete",
    }
}

fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|it| it.strip_prefix(':'))
}

/// `/admin/orders/:id` → `/admin/orders/{id}`
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn operation<A: App>(route: &Route<A>, answers: &mut Answers<'_>) -> Value {
    let words = route.path.split(['/', '-', ':', '.']).filter(|it| !it.is_empty());
    let id = [verb(route.method)].into_iter().chain(words).collect::<Vec<_>>().join("_");
    let segments: Vec<&str> = route.path.split('/').skip(1).collect();
    let (area, tag) = match segments[..] {
        [area @ ("admin" | "store"), resource, ..] => (area, resource),
        ["auth", ..] => ("any", "auth"),
        _ => ("any", "reference"),
    };
    let mut all: Vec<Value> = parameters(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    all.extend(query_parameters(route.params));
    let security = match route.auth {
        Auth::Public => json!([]),
        Auth::Identity | Auth::User => json!([{ "token": [] }]),
        Auth::Admin => json!([{ "token": [] }, { "secret_key": [] }]),
        Auth::Store => json!([{ "publishable_key": [] }]),
        Auth::NewCustomer | Auth::Customer => json!([{ "publishable_key": [], "token": [] }]),
    };
    let mut operation = json!({
        "operationId": id,
        "summary": format!("{} {}", route.method, template(route.path)),
        "tags": [tag],
        "x-area": area,
        "parameters": all,
        "responses": responses(route, answers),
        "security": security,
    });
    if let Some(body) = route.body {
        operation["requestBody"] = json!({ "content": content(body_schema(body)) });
    }
    operation
}

pub(crate) fn content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// The answers of a route by status: success, and every kind of error.
fn responses<A: App>(route: &Route<A>, answers: &mut Answers<'_>) -> Value {
    let done = answers.content(route.answer);
    let status = if matches!(route.answer, Answer::Created) { "201" } else { "200" };
    let mut responses = json!({ status: { "description": "Success.", "content": done } });
    let is_write = route.method != Method::Get;
    let refusals = [
        (true, "400", "The request is invalid, or not allowed in the current state."),
        (true, "401", "Not authenticated."),
        (true, "404", "There is no such record."),
        (
            is_write,
            "409",
            "A concurrent request changed the record, or runs with the same `Idempotency-Key`.",
        ),
        (route.body.is_some(), "413", "The body is too large."),
        (
            is_write,
            "422",
            "The `Idempotency-Key` was used for another request, or the record exists already.",
        ),
        (true, "429", "Rate limit exceeded; `Retry-After` says when to retry."),
        (true, "500", "Internal error."),
        (true, "503", "Overloaded; `Retry-After` says when to retry."),
    ];
    for (_, status, about) in refusals.into_iter().filter(|(may_be, ..)| *may_be) {
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        responses[status] = json!({ "description": about, "content": content(schema) });
    }
    responses
}
