//! JSON Schemas of answers and of the entities in them, for OpenAPI.

use std::collections::BTreeSet;

use atoll_query::Graph;
use atoll_storage::{EntityDef, FieldKind};
use serde_json::{Map, Value, json};

use crate::{Answer, Envelope, openapi::content};

/// The schemas of answers, and the entities that they refer to.
pub(crate) struct Answers<'a> {
    graph: &'a Graph,
    entities: BTreeSet<&'static str>,
}

impl<'a> Answers<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Self {
        Answers { graph, entities: BTreeSet::new() }
    }

    /// The `content` object of an answer, by media type.
    pub(crate) fn content(&mut self, answer: Answer) -> Value {
        let schema = match answer {
            Answer::Created => return json!({}),
            Answer::Html => return json!({ "text/html": { "schema": text() } }),
            Answer::Object => json!({ "type": "object" }),
            Answer::One(it) => object([(it.one(), self.record(it))]),
            Answer::Page(it) => {
                let number = || json!({ "type": "integer", "minimum": 0 });
                object([
                    (it.many(), list(self.record(it))),
                    ("count", number()),
                    ("offset", number()),
                    ("limit", number()),
                ])
            }
            Answer::Deleted => deleted([]),
            Answer::DeletedFrom(parent) => deleted([("parent", self.record(parent))]),
            Answer::Batch(it) => object([
                ("created", list(self.record(it))),
                ("updated", list(self.record(it))),
                ("deleted", object([("ids", list(text())), ("object", text()), ("deleted", truth())])),
            ]),
        };
        content(schema)
    }

    fn record(&mut self, it: &dyn Envelope) -> Value {
        self.refer(it.entity())
    }

    fn refer(&mut self, entity: &'static str) -> Value {
        self.entities.insert(entity);
        json!({ "$ref": format!("#/components/schemas/{}", name_of(self.graph, entity)) })
    }

    /// The schemas of all entities that were referred to, directly or through relations.
    pub(crate) fn components(mut self) -> Map<String, Value> {
        let mut schemas = Map::new();
        loop {
            let open = self.entities.iter().find(|it| !schemas.contains_key(&name_of(self.graph, it)));
            let Some(def) = open.and_then(|it| self.graph.entity(it)) else { return schemas };
            schemas.insert(name_of(self.graph, def.name), self.entity(def));
        }
    }

    /// The schema of a record with all fields that can be shown. Which of them are, `fields` selects.
    fn entity(&mut self, def: &'static EntityDef) -> Value {
        let mut properties = Map::new();
        for (field, kind) in def.fields.iter().zip(def.kinds) {
            if !def.hidden.contains(field) {
                properties.insert((*field).to_owned(), kind_schema(*kind));
            }
        }
        let computed = self.graph.computed_fields(def.name).map(|it| it.name);
        for name in def.computed.iter().copied().chain(computed) {
            properties.insert(name.to_owned(), json!({}));
        }
        for relation in self.graph.relations(def.name) {
            let to = self.refer(relation.to);
            let schema = if relation.many { list(to) } else { or_null(to) };
            properties.insert(relation.name.to_owned(), schema);
        }
        json!({ "type": "object", "properties": properties })
    }
}

fn name_of(graph: &Graph, entity: &str) -> String {
    let label = graph.entity(entity).map_or(entity, |it| it.label);
    let words = label.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

fn kind_schema(kind: FieldKind) -> Value {
    match kind {
        FieldKind::Any => json!({}),
        FieldKind::Text => text(),
        FieldKind::Words(words) => json!({ "type": "string", "enum": words }),
        FieldKind::Bool => truth(),
        FieldKind::Number => json!({ "type": "number" }),
        FieldKind::Time => json!({ "type": "string", "format": "date-time" }),
        FieldKind::Record => json!({ "type": "object" }),
        FieldKind::List(item) => list(kind_schema(*item)),
        FieldKind::OrNull(kind) => or_null(kind_schema(*kind)),
    }
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn truth() -> Value {
    json!({ "type": "boolean" })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> =
        properties.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// The schema of the answer to a deletion.
fn deleted<const N: usize>(more: [(&str, Value); N]) -> Value {
    let mut schema = object([("id", text()), ("object", text()), ("deleted", truth())]);
    for (name, it) in more {
        schema["properties"][name] = it;
    }
    schema
}
