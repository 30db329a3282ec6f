//! JSON Schemas of request bodies, for OpenAPI. What a body says nothing of is described as the field of the
//! record that it is written to, at any depth.

use atoll_query::Graph;
use atoll_schema::{Body, body_schema};
use atoll_storage::EntityDef;
use serde_json::Value;

use crate::{App, Route, parameters, text};

/// The entity whose fields the body of a route has: that of its answer, or the one that its path leads to
/// from there. `POST /admin/products/:id/variants` answers with the product, and takes a variant.
pub(crate) fn entity_of<A: App>(route: &Route<A>, graph: &Graph) -> Option<&'static EntityDef> {
    let mut entity = graph.entity(parameters::entity_of(route.answer)?)?;
    for segment in route.path.split('/') {
        let below = graph.relation(entity.name, &segment.replace('-', "_"));
        entity = below.and_then(|it| graph.entity(it.to)).unwrap_or(entity);
    }
    Some(entity)
}

/// The schema of a body with the fields of this entity.
pub(crate) fn schema(body: Body, entity: Option<&'static EntityDef>, graph: &Graph) -> Value {
    let mut schema = body_schema(body);
    describe(&mut schema, entity, graph);
    schema
}

/// Describes the fields of an object, of the items of a list, or of each of several shapes.
fn describe(schema: &mut Value, entity: Option<&'static EntityDef>, graph: &Graph) {
    if let Some(items) = schema.get_mut("items") {
        describe(items, entity, graph);
    }
    for shape in schema.get_mut("anyOf").and_then(Value::as_array_mut).into_iter().flatten() {
        describe(shape, entity, graph);
    }
    for (name, field) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let about = entity.map(|it| text::joined(it.text_of(name))).unwrap_or_default();
        if !about.is_empty() && field.get("description").is_none() {
            field["description"] = about.into();
        }
        let below = match (entity, name.as_str()) {
            // In a batch: several of the same records.
            (_, "create" | "update") => entity,
            (Some(it), _) => graph.relation(it.name, name).and_then(|it| graph.entity(it.to)),
            (None, _) => None,
        };
        describe(field, below, graph);
    }
}
