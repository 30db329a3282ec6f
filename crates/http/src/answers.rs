//! JSON Schemas of answers and of the entities in them, for OpenAPI.

use std::collections::BTreeSet;

use atoll_query::{Graph, StoreFields, allowed_path};
use atoll_schema::field_schema;
use atoll_storage::{EntityDef, Exact, FieldKind, FieldValue};
use serde_json::{Map, Value, json};

use crate::{Answer, Envelope, Part, openapi::content, text::joined};

/// The schemas of answers, and the entities that they refer to.
pub(crate) struct Answers<'a> {
    graph: &'a Graph,
    entities: BTreeSet<&'static str>,
    /// The allow-lists that records were shown by, with the names of their schemas.
    allowed: Vec<(String, &'static str, StoreFields)>,
    /// The schemas of records that are shown by an allow-list, and of what is related to them.
    storefront: Map<String, Value>,
}

impl<'a> Answers<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Self {
        Answers { graph, entities: BTreeSet::new(), allowed: Vec::new(), storefront: Map::new() }
    }

    /// The `content` object of an answer, by media type.
    pub(crate) fn content(&mut self, answer: Answer) -> Value {
        match answer {
            Answer::Created => json!({}),
            Answer::Html => html(),
            Answer::File => json!({ "*/*": { "schema": { "type": "string", "format": "binary" } } }),
            Answer::Events => json!({ "text/event-stream": { "schema": { "type": "string" } } }),
            Answer::HtmlOr(parts) => {
                let mut both = content(self.schema(Answer::Object(parts)));
                both["text/html"] = html()["text/html"].take();
                both
            }
            json => content(self.schema(json)),
        }
    }

    /// The schema of an answer in JSON.
    fn schema(&mut self, answer: Answer) -> Value {
        match answer {
            Answer::Created | Answer::Html | Answer::HtmlOr(_) | Answer::File | Answer::Events => json!({}),
            Answer::Object(parts) | Answer::Accepted(parts) => self.parts(parts),
            Answer::OneOf(all) => {
                json!({ "anyOf": all.iter().map(|it| self.schema(*it)).collect::<Vec<_>>() })
            }
            Answer::One(it) => object([(it.one(), self.record(it))]),
            Answer::OneSecret(it, secret) => {
                let secret = object([(secret.name, field_schema(secret))]);
                object([(it.one(), json!({ "allOf": [self.record(it), secret] }))])
            }
            Answer::Page(it) => {
                let number = |about: &str| json!({ "type": "integer", "minimum": 0, "description": about });
                let mut page = object([
                    (it.many(), list(self.record(it))),
                    ("count", number("How many records there are on all pages.")),
                    ("offset", number("How many of them were skipped.")),
                    ("limit", number("The size of the page.")),
                ]);
                page["properties"]["next_cursor"] = json!({
                    "type": ["string", "null"],
                    "description": "The `cursor` of the next page, if the request has one; null on the last page.",
                });
                page
            }
            Answer::Deleted => deleted([]),
            Answer::DeletedFrom(parent) => deleted([("parent", or_null(self.record(parent)))]),
            Answer::Batch(it) => object([
                ("created", list(self.record(it))),
                ("updated", list(self.record(it))),
                ("deleted", object([("ids", list(text())), ("object", text()), ("deleted", truth())])),
            ]),
        }
    }

    fn parts(&mut self, parts: &[Part]) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts {
            let (name, schema, is_required) = match part {
                Part::Value(field) => (field.name, field_schema(field), field.required),
                Part::One(name, it) => (*name, self.record(*it), true),
                Part::Many(name, it) => (*name, list(self.record(*it)), true),
            };
            properties.insert(name.to_owned(), schema);
            required.extend(is_required.then_some(name));
        }
        json!({ "type": "object", "required": required, "properties": properties })
    }

    fn record(&mut self, it: &dyn Envelope) -> Value {
        let Some(def) = self.graph.entity(it.entity()) else { return json!({}) };
        match it.store_fields() {
            None => self.refer(def.name),
            Some(fields) => self.for_storefronts(def, fields),
        }
    }

    /// The schema of a record of which a route shows what its allow-list holds.
    fn for_storefronts(&mut self, def: &'static EntityDef, fields: &StoreFields) -> Value {
        let is_it = |of: &&(String, &str, StoreFields)| {
            of.1 == def.name && of.2.whole == fields.whole && of.2.parts == fields.parts
        };
        if let Some((name, ..)) = self.allowed.iter().find(is_it) {
            return reference(name);
        }
        // Two resources may show different fields of one entity.
        let mut name = format!("Storefront{}", name_of(self.graph, def.name));
        let n_before = self.allowed.iter().filter(|it| it.1 == def.name).count();
        if n_before > 0 {
            name.push_str(&(n_before + 1).to_string());
        }
        self.allowed.push((name.clone(), def.name, *fields));
        self.storefront_below(&name, def, fields, &mut Vec::new())
    }

    fn storefront_below(
        &mut self,
        root: &str,
        def: &'static EntityDef,
        fields: &StoreFields,
        path: &mut Vec<String>,
    ) -> Value {
        let name = match path.is_empty() {
            true => root.to_owned(),
            false => format!("{root}.{}", allowed_path(path)),
        };
        // A relation from an entity to itself leads to a schema that is begun already.
        if self.storefront.contains_key(&name) {
            return reference(&name);
        }
        self.storefront.insert(name.clone(), Value::Null);
        let graph = self.graph;
        let shows = |field: &str, is_guarded: bool, path: &mut Vec<String>| {
            path.push(field.to_owned());
            let is_shown = fields.shows(path, is_guarded);
            path.pop();
            is_shown
        };
        let mut properties = own_fields(def);
        properties.extend(computed_fields(def));
        properties.retain(|field, _| graph.relation(def.name, field).is_none() && shows(field, false, path));
        let computed = graph.computed_fields(def.name).filter(|it| shows(it.name, true, path));
        properties.extend(computed.map(|it| (it.name.to_owned(), described(kind_schema(it.kind), it.text))));
        let relations: Vec<_> = graph.relations(def.name).filter(|it| shows(it.name, true, path)).collect();
        for relation in relations {
            let Some(to) = graph.entity(relation.to) else { continue };
            path.push(relation.name.to_owned());
            let to = self.storefront_below(root, to, fields, path);
            path.pop();
            properties.insert(relation.name.to_owned(), related(relation.many, to));
        }
        self.storefront.insert(name.clone(), record_schema(def, properties));
        reference(&name)
    }

    fn refer(&mut self, entity: &'static str) -> Value {
        self.entities.insert(entity);
        reference(&name_of(self.graph, entity))
    }

    /// The schemas of all entities that were referred to, directly or through relations.
    pub(crate) fn components(mut self) -> Map<String, Value> {
        let mut schemas = std::mem::take(&mut self.storefront);
        schemas.insert(EXACT.to_owned(), exact_schema());
        loop {
            let open = self.entities.iter().find(|it| !schemas.contains_key(&name_of(self.graph, it)));
            let Some(def) = open.and_then(|it| self.graph.entity(it)) else { return schemas };
            schemas.insert(name_of(self.graph, def.name), self.entity(def));
        }
    }

    /// The schema of a record with all fields that can be shown. Which of them are, `fields` selects.
    fn entity(&mut self, def: &'static EntityDef) -> Value {
        let mut properties = own_fields(def);
        properties.extend(computed_fields(def));
        let computed = self.graph.computed_fields(def.name);
        properties.extend(computed.map(|it| (it.name.to_owned(), described(kind_schema(it.kind), it.text))));
        for relation in self.graph.relations(def.name) {
            let to = self.refer(relation.to);
            properties.insert(relation.name.to_owned(), related(relation.many, to));
        }
        record_schema(def, properties)
    }
}

/// The stored fields of an entity that are not hidden.
fn own_fields(def: &EntityDef) -> Map<String, Value> {
    let fields = def.fields.iter().zip(def.kinds).filter(|(field, _)| !def.hidden.contains(field));
    let schema = |field: &str, kind: FieldKind| described(kind_schema(kind), def.text_of(field));
    fields.map(|(field, kind)| ((*field).to_owned(), schema(field, *kind))).collect()
}

/// The fields that are computed from a record alone.
fn computed_fields(def: &EntityDef) -> impl Iterator<Item = (String, Value)> {
    def.computed.iter().map(|name| {
        let (kind, text) = (def.computed_field)(name);
        ((*name).to_owned(), described(kind_schema(kind), text))
    })
}

fn record_schema(def: &EntityDef, properties: Map<String, Value>) -> Value {
    described(json!({ "type": "object", "properties": properties }), def.text)
}

fn described(mut schema: Value, text: &str) -> Value {
    let text = joined(text);
    if !text.is_empty() {
        schema["description"] = text.into();
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn related(is_many: bool, to: Value) -> Value {
    if is_many { list(to) } else { or_null(to) }
}

fn html() -> Value {
    json!({ "text/html": { "schema": text() } })
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
        FieldKind::Whole(_) | FieldKind::Decimal => json!({ "type": "number" }),
        FieldKind::Time => json!({ "type": "string", "format": "date-time" }),
        exact if exact == Exact::KIND => reference(EXACT),
        FieldKind::Fields { names, kinds } => {
            let schema = |(name, kind): (&&str, &FieldKind)| ((*name).to_owned(), kind_schema(*kind));
            let properties: Map<_, _> = names.iter().zip(kinds).map(schema).collect();
            json!({ "type": "object", "properties": properties })
        }
        FieldKind::Record | FieldKind::Variants { .. } => json!({ "type": "object" }),
        FieldKind::List(item) => list(kind_schema(*item)),
        FieldKind::OrNull(kind) => or_null(kind_schema(*kind)),
    }
}

/// The name of the schema of exact values.
const EXACT: &str = "ExactNumber";

fn exact_schema() -> Value {
    let described = |kind: &str, about: &str| json!({ "type": kind, "description": about });
    let mut schema = object([
        ("value", described("string", "All digits, in decimal notation.")),
        ("precision", described("number", "The number of digits that are kept: always 20.")),
    ]);
    schema["description"] = "The exact value of the number in the field of this name without `raw_`.".into();
    schema
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
