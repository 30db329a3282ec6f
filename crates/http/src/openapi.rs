//! The route table as an OpenAPI 3.1 document.

use atoll_schema::{body_schema, query_parameters};
use serde_json::{Map, Value, json};

use crate::{App, Auth, Method, Route};

/// Describes these routes.
pub fn openapi<A: App>(title: &str, version: &str, routes: &[&'static Route<A>]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(template(route.path)).or_insert_with(|| json!({}));
        path[verb(route.method)] = operation(route);
    }
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
                "token": { "type": "http", "scheme": "bearer", "description": "An admin user's token." },
                "secret_key": { "type": "http", "scheme": "basic", "description": "A secret API key as the user name." },
                "publishable_key": { "type": "apiKey", "in": "header", "name": "x-publishable-api-key" },
            },
            "schemas": { "Error": {
                "type": "object",
                "required": ["message"],
                "properties": {
                    "type": { "type": "string" }, "message": { "type": "string" }, "code": { "type": "string" },
                },
            } },
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

fn operation<A: App>(route: &Route<A>) -> Value {
    let words = route.path.split(['/', '-', ':']).filter(|it| !it.is_empty());
    let id = [verb(route.method)].into_iter().chain(words).collect::<Vec<_>>().join("_");
    let tag = route.path.split('/').nth(2).unwrap_or("auth");
    let mut all: Vec<Value> = parameters(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    all.extend(query_parameters(route.params));
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    let error = |about: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        json!({ "description": about, "content": content(schema) })
    };
    let mut operation = json!({
        "operationId": id,
        "tags": [tag],
        "parameters": all,
        "responses": {
            "200": { "description": "It was done.", "content": content(json!({ "type": "object" })) },
            "400": error("The request is wrong, or not allowed now."),
            "404": error("There is no such record."),
            "500": error("Our own mistake."),
        },
        "security": [],
    });
    let keys: &[&str] = match route.auth {
        Auth::Public => &[],
        Auth::Identity | Auth::User => &["token"],
        Auth::Admin => &["token", "secret_key"],
        Auth::Store => &["publishable_key"],
        Auth::NewCustomer | Auth::Customer => &["publishable_key", "token"],
    };
    operation["security"] = keys.iter().map(|key| json!({ *key: [] })).collect();
    if route.auth == Auth::Admin {
        operation["responses"]["401"] = error("Nobody is logged in.");
    }
    if let Some(body) = route.body {
        operation["requestBody"] = json!({ "content": content(body_schema(body)) });
    }
    operation
}
