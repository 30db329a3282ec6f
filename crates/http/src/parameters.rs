//! The parameters of routes for OpenAPI: of the path, the query string and the headers.

use atoll_query::Graph;
use atoll_schema::{Param, param_schema};
use atoll_storage::EntityDef;
use atoll_values::limits::STORE_PAGE_MAX;
use serde_json::{Map, Value, json};

use crate::{Answer, App, Route, text};

/// The parameters that many routes have, by the name under which operations refer to them.
pub(crate) fn shared() -> Map<String, Value> {
    let query = |name: &str, about: &str, schema: Value| {
        let it = json!({ "name": name, "in": "query", "description": about, "schema": schema });
        (name.to_owned(), it)
    };
    let text = || json!({ "type": "string" });
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "schema": text(),
        "description": "A name that the client gives to this write. The same write with the same name is made once, and \
                        answered alike for 24 hours.",
    });
    let all = [
        query(
            "fields",
            "The fields to show, separated by commas. Names replace the defaults; `+title` adds a field to them, `-title` \
             leaves it out, `*variants` shows all fields of related records, and `variants.sku` one of them.",
            text(),
        ),
        query(
            "expand",
            "Relations to show in addition, separated by commas: `a,b` is `fields=*a,*b`.",
            text(),
        ),
        query(
            "offset",
            "How many records to skip (pagination).",
            json!({ "type": "integer", "minimum": 0, "default": 0 }),
        ),
        query(
            "cursor",
            "Where the page begins (pagination to any depth): empty for the first page, then the `next_cursor` of the page \
             before, with the same `order`. Not together with `offset`.",
            text(),
        ),
        query(
            "order",
            "The field to sort by; with a `-` in front, descending. A path leads to a related record.",
            text(),
        ),
        query("q", "Full-text search: the words must all occur in the record.", text()),
        query("with_deleted", "Show soft-deleted records, too.", json!({ "type": "boolean" })),
        ("Idempotency-Key".to_owned(), key),
    ];
    all.into_iter().collect()
}

/// The parameters of a route.
pub(crate) fn of<A: App>(route: &Route<A>, graph: &Graph) -> Vec<Value> {
    let shared = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
    let mut all = of_path(route.path);
    all.extend(["fields", "expand"].map(shared));
    if let Some(limit) = route.params.limit {
        let about = match route.auth.is_store() {
            true => format!("The size of the page: at most {STORE_PAGE_MAX}."),
            false => "The size of the page.".to_owned(),
        };
        let schema = json!({ "type": "integer", "minimum": 0, "default": limit });
        all.push(json!({ "name": "limit", "in": "query", "description": about, "schema": schema }));
        all.extend(["offset", "order", "q"].map(shared));
        all.extend(matches!(route.answer, Answer::Page(_)).then(|| shared("cursor")));
        // Storefronts see no deleted records, whatever they ask for.
        all.extend((!route.auth.is_store()).then(|| shared("with_deleted")));
    }
    let entity = entity_of(route.answer).and_then(|it| graph.entity(it));
    all.extend(route.params.own.iter().map(|param| {
        json!({
            "name": param.name, "in": "query", "style": "deepObject", "explode": true,
            "description": about(param, graph, entity), "schema": param_schema(param),
        })
    }));
    if route.takes_idempotency_key() {
        all.push(shared("Idempotency-Key"));
    }
    all
}

/// The entity of the records that an answer shows.
pub(crate) fn entity_of(answer: Answer) -> Option<&'static str> {
    match answer {
        Answer::One(it)
        | Answer::OneSecret(it, _)
        | Answer::Page(it)
        | Answer::Batch(it)
        | Answer::DeletedFrom(it) => Some(it.entity()),
        Answer::Object(_)
        | Answer::Accepted(_)
        | Answer::OneOf(_)
        | Answer::Html
        | Answer::File
        | Answer::Events
        | Answer::HtmlOr(_)
        | Answer::Created
        | Answer::Deleted => None,
    }
}

fn of_path(path: &str) -> Vec<Value> {
    let mut above = "";
    let mut all = Vec::new();
    for segment in path.split('/') {
        let Some(name) = segment.strip_prefix(':') else {
            above = segment;
            continue;
        };
        let about = match name {
            "id" => format!("The id, as in the list of `{above}`."),
            "actor" => "The kind of actor: `user` for admins, `customer` for customers.".to_owned(),
            "provider" => {
                "How to prove who one is: `emailpass`, by an e-mail address and a password.".to_owned()
            }
            other => format!("The id of the {}.", words(other)),
        };
        let schema = json!({ "type": "string" });
        all.push(
            json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema }),
        );
    }
    all
}

/// `variant_id` → `variant`
fn words(name: &str) -> String {
    name.strip_suffix("_id").unwrap_or(name).replace('_', " ")
}

/// What a parameter does: its own text, or that of the field or the relation by which it filters.
fn about(param: &Param, graph: &Graph, entity: Option<&'static EntityDef>) -> String {
    if !param.text.is_empty() {
        return param.text.to_owned();
    }
    let of_field = entity.map(|it| it.text_of(param.name)).filter(|it| !it.is_empty());
    let of_computed = || entity.and_then(|it| graph.computed(it.name, param.name)).map(|it| it.text);
    let is_relation = entity.is_some_and(|it| graph.relation(it.name, param.name).is_some());
    match of_field.or_else(of_computed) {
        Some(field) => format!("Filter on this field: {}", text::joined(field)),
        None if is_relation => format!("Filter on the related {}.", words(param.name)),
        None => format!("Filter on the {} of the record.", words(param.name)),
    }
}
