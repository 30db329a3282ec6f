//! The route table as an OpenAPI 3.1 document.

use std::collections::{BTreeSet, HashMap};

use atoll_query::Graph;
use atoll_values::limits::FILES_PER_UPLOAD_MAX;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Answer, App, Auth, Method, RequestBody, Route, answers::Answers, bodies, parameters, samples, text,
};

/// What the document says of the API as a whole.
pub struct Info<'a> {
    /// The name of the API.
    pub title: &'a str,
    /// Its version.
    pub version: &'a str,
    /// What it is, in Markdown.
    pub text: &'a str,
    /// Examples by operation: `GET /admin/products/{id}`.
    pub examples: &'a HashMap<String, Example>,
}

/// An example of an operation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Example {
    /// The body of the request.
    pub request: Option<Value>,
    /// The body of the successful answer to it.
    pub answer: Option<Value>,
}

/// Generates the document for these routes.
pub fn openapi<A: App>(info: &Info<'_>, routes: &[&'static Route<A>], graph: &Graph) -> Value {
    let mut paths = Map::new();
    let mut answers = Answers::new(graph);
    let mut tags = BTreeSet::new();
    for route in routes {
        let template = template(route.path);
        let example = info.examples.get(&format!("{} {template}", route.method));
        let path = paths.entry(template).or_insert_with(|| json!({}));
        path[verb(route.method)] = operation(route, graph, &mut answers, example);
        tags.insert(Tag::of(route.path));
    }
    let mut schemas = answers.components();
    let responses = REFUSALS.iter().map(Refusal::component).chain([not_modified()]);
    let responses: Map<_, _> = responses.collect();
    schemas.insert("Error".into(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": info.title, "version": info.version, "description": info.text,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags.iter().map(Tag::described).collect::<Vec<_>>(),
        "x-tagGroups": tag_groups(&tags),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The token of a user, or of a customer." },
                "secret_key": { "type": "http", "scheme": "basic", "description": "A secret API key as the user name." },
                "publishable_key": {
                    "type": "apiKey", "in": "header", "name": "x-publishable-api-key",
                    "description": "The key of a storefront: store routes show and sell only what belongs to its channels.",
                },
            },
            "parameters": parameters::shared(),
            "responses": responses,
            "schemas": schemas,
        },
    })
}

fn error_schema() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    json!({
        "type": "object",
        "description": "Why a request was refused.",
        "required": ["message"],
        "properties": {
            "type": text("The kind of error, for programs: `invalid_data`, `not_found`."),
            "message": text("What is wrong, for people."),
            "code": text("A finer kind of error, where there is one."),
            "errors": {
                "type": "array", "items": { "type": "string" },
                "description": "All that is wrong with the body, where several things are checked.",
            },
        },
        "example": { "type": "not_found", "message": "Product with id: prod_1 was not found" },
    })
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Delete => "delete",
    }
}

/// `/admin/orders/:id` → `/admin/orders/{id}`
fn template(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whom a route is for, in the order in which readers find them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Area {
    Store,
    Admin,
    Any,
}

impl Area {
    const ALL: [(Area, &'static str); 3] =
        [(Area::Store, "Storefronts"), (Area::Admin, "Admins"), (Area::Any, "Everybody")];

    fn name(self) -> &'static str {
        match self {
            Area::Store => "store",
            Area::Admin => "admin",
            Area::Any => "any",
        }
    }
}

/// What operations are grouped by: the resource, in its area.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tag<'a> {
    area: Area,
    resource: &'a str,
}

impl<'a> Tag<'a> {
    fn of(path: &'a str) -> Tag<'a> {
        let mut segments = path.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("store"), Some(resource)) => Tag { area: Area::Store, resource },
            (Some("admin"), Some(resource)) => Tag { area: Area::Admin, resource },
            (Some("auth"), _) => Tag { area: Area::Any, resource: "auth" },
            _ => Tag { area: Area::Any, resource: "reference" },
        }
    }

    fn name(&self) -> String {
        format!("{}: {}", self.area.name(), self.resource)
    }

    fn described(&self) -> Value {
        let words = self.resource.replace('-', " ");
        let (first, rest) = words.split_at(words.len().min(1));
        json!({ "name": self.name(), "x-displayName": first.to_uppercase() + rest })
    }
}

/// `x-tagGroups`: the tags by area.
fn tag_groups(tags: &BTreeSet<Tag<'_>>) -> Vec<Value> {
    let group = |(area, title): (Area, &str)| {
        let names: Vec<_> = tags.iter().filter(|it| it.area == area).map(Tag::name).collect();
        json!({ "name": title, "tags": names })
    };
    Area::ALL.into_iter().map(group).collect()
}

fn operation<A: App>(
    route: &Route<A>,
    graph: &Graph,
    answers: &mut Answers<'_>,
    example: Option<&Example>,
) -> Value {
    let words = route.path.split(['/', '-', ':', '.']).filter(|it| !it.is_empty());
    let id = [verb(route.method)].into_iter().chain(words).collect::<Vec<_>>().join("_");
    let tag = Tag::of(route.path);
    let security = match route.auth {
        Auth::Public => json!([]),
        Auth::Identity | Auth::User => json!([{ "token": [] }]),
        Auth::Admin => json!([{ "token": [] }, { "secret_key": [] }]),
        Auth::Store => json!([{ "publishable_key": [] }]),
        Auth::NewCustomer | Auth::Customer => json!([{ "publishable_key": [], "token": [] }]),
    };
    let (summary, description) = text::summary(route.text);
    let mut operation = json!({
        "operationId": id,
        "summary": summary,
        "tags": [tag.name()],
        "x-area": tag.area.name(),
        "x-codeSamples": samples::of(route.method, &template(route.path), example.and_then(|it| it.request.as_ref())),
        "parameters": parameters::of(route, graph),
        "responses": responses(route, answers, example.and_then(|it| it.answer.as_ref())),
        "security": security,
    });
    if !description.is_empty() {
        operation["description"] = description.into();
    }
    match route.body {
        RequestBody::None => {}
        RequestBody::Json(schema) => {
            let entity = bodies::entity_of(route, graph);
            let content = content(bodies::schema(schema, entity, graph));
            let example = example.and_then(|it| it.request.as_ref());
            operation["requestBody"] = json!({ "content": with_example(content, example) });
        }
        RequestBody::Files(field) => {
            let file = json!({ "type": "string", "format": "binary" });
            let files = json!({ "type": "array", "items": file, "maxItems": FILES_PER_UPLOAD_MAX });
            let form = json!({ "type": "object", "required": [field], "properties": { field: files } });
            operation["requestBody"] = json!({ "content": { "multipart/form-data": { "schema": form } } });
        }
        RequestBody::Raw => {
            let bytes = json!({ "type": "string", "format": "binary" });
            operation["requestBody"] = json!({ "content": { "*/*": { "schema": bytes } } });
        }
    }
    operation
}

pub(crate) fn content(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// Adds an example to the JSON of a `content` object.
fn with_example(mut content: Value, example: Option<&Value>) -> Value {
    if let (Some(example), Some(json)) = (example, content.get_mut("application/json")) {
        json["example"] = example.clone();
    }
    content
}

/// The component of a 304.
const NOT_MODIFIED: &str = "NotModified";

/// Without a body: what the client has is still the answer.
fn not_modified() -> (String, Value) {
    let text = "What the client has is still the answer: `If-None-Match` names its `ETag`.";
    (NOT_MODIFIED.to_owned(), json!({ "description": text }))
}

/// An error that a route may answer with.
struct Refusal {
    /// `default` stands for all others.
    status: &'static str,
    /// The name of its component.
    name: &'static str,
    /// Which routes may answer it: `(is_write, has_body)`.
    may_be: fn(bool, bool) -> bool,
    text: &'static str,
}

const REFUSALS: [Refusal; 11] = [
    Refusal::always("400", "Invalid", "The request is invalid, or not allowed in the current state."),
    Refusal::always("401", "Unauthorized", "Not authenticated."),
    Refusal::always("404", "NotFound", "There is no such record."),
    Refusal::of_write(
        "409",
        "Conflict",
        "A concurrent request changed the record, or runs with the same `Idempotency-Key`.",
    ),
    Refusal {
        may_be: |_, has_body| has_body,
        ..Refusal::always("413", "TooLarge", "The body is too large.")
    },
    Refusal::of_write(
        "422",
        "Duplicate",
        "The `Idempotency-Key` was used for another request, or the record exists already.",
    ),
    Refusal::always("429", "TooMany", "Rate limit exceeded; `Retry-After` says when to retry."),
    Refusal::always("500", "Internal", "Internal error."),
    Refusal::always("503", "Overloaded", "Overloaded; `Retry-After` says when to retry."),
    Refusal::of_write(
        "507",
        "NoRoom",
        "The disk of the server is nearly full, and nothing new is written; `Retry-After` says when to retry.",
    ),
    Refusal::always("default", "Refused", "Refused by a module, with a status and a `type` of its own."),
];

impl Refusal {
    const fn always(status: &'static str, name: &'static str, text: &'static str) -> Refusal {
        Refusal { status, name, may_be: |_, _| true, text }
    }

    const fn of_write(status: &'static str, name: &'static str, text: &'static str) -> Refusal {
        Refusal { may_be: |is_write, _| is_write, ..Refusal::always(status, name, text) }
    }

    fn component(&self) -> (String, Value) {
        let schema = json!({ "$ref": "#/components/schemas/Error" });
        (self.name.to_owned(), json!({ "description": self.text, "content": content(schema) }))
    }
}

/// The answers of a route by status: success, and every kind of error.
fn responses<A: App>(route: &Route<A>, answers: &mut Answers<'_>, example: Option<&Value>) -> Value {
    let done = with_example(answers.content(route.answer), example);
    let status = match route.answer {
        Answer::Created => "201",
        Answer::Accepted(_) => "202",
        _ => "200",
    };
    let mut responses = json!({ status: { "description": "Success.", "content": done } });
    if route.is_remembered() {
        responses["304"] = json!({ "$ref": format!("#/components/responses/{NOT_MODIFIED}") });
    }
    let (is_write, has_body) = (route.method != Method::Get, route.body.is_some());
    for it in REFUSALS.iter().filter(|it| (it.may_be)(is_write, has_body)) {
        responses[it.status] = json!({ "$ref": format!("#/components/responses/{}", it.name) });
    }
    responses
}
