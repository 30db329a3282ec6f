//! What is wrong with what storefronts are shown: store routes without an allow-list or of records that only
//! admins see, allow-lists that lead to such records, and visibilities that name what is not there.

use crate::{
    Registry,
    http::{Envelope, Resource, Route},
    query::{Graph, Relation, Resolve, Visibility},
};

/// Reports everything that is wrong with what storefronts are shown.
pub(crate) fn problems(registry: &Registry, say: &mut impl FnMut(String)) {
    let graph = &registry.graph;
    for table in registry.tables() {
        let entity = table.def();
        let visibility = graph.visibility(entity.name);
        let fields = match visibility {
            Visibility::OfChannel(field) | Visibility::OfCustomer(field) => vec![field],
            Visibility::ById { channel, customer } => vec![channel, customer],
            _ => Vec::new(),
        };
        for field in fields.into_iter().filter(|it| !entity.fields.contains(it)) {
            say(format!("`{}` is visible by its field `{field}`, which it does not have", entity.name));
        }
        if let Visibility::With(relations) = visibility {
            // A relation may be left out with an optional module.
            let is_known = |name: &&str| {
                graph.relation(entity.name, name).is_some() || registry.left_out.would_show(entity.name, name)
            };
            for name in relations.iter().filter(|it| !is_known(it)) {
                say(format!("`{}` is visible with its `{name}`, which is no relation of it", entity.name));
            }
            if leads_back(graph, entity.name, entity.name, &mut Vec::new()) {
                say(format!("`{}` is visible with records that are visible with it", entity.name));
            }
        }
    }
    for route in registry.routes.iter().filter(|it| it.auth.is_store()) {
        route.answer.envelopes().into_iter().for_each(|it| check_route(graph, route, it, say));
    }
    for resource in &registry.resources {
        for (path, entity) in hidden_paths(registry, resource) {
            say(format!(
                "`{}` lets storefronts ask for `{path}`, which stays hidden: `{entity}` is visible to admins only",
                resource.many
            ));
        }
    }
}

/// Do the records with which `entity` is visible lead back to `goal`?
fn leads_back(graph: &Graph, goal: &str, entity: &'static str, seen: &mut Vec<&'static str>) -> bool {
    let Visibility::With(relations) = graph.visibility(entity) else { return false };
    relations.iter().filter_map(|it| graph.relation(entity, it)).any(|relation| {
        relation.to == goal
            || !seen.contains(&relation.to) && {
                seen.push(relation.to);
                leads_back(graph, goal, relation.to, seen)
            }
    })
}

fn check_route(graph: &Graph, route: &Route, shown: &dyn Envelope, say: &mut impl FnMut(String)) {
    let (name, entity, source) = (format!("{} {}", route.method, route.path), shown.entity(), route.source);
    if shown.store_fields().is_none() {
        say(format!(
            "route `{name}` shows `{}` to storefronts, whose resource does not say which fields they may ask for: \
             set its `store_fields` ({source})",
            shown.many()
        ));
    }
    if graph.visibility(entity) == Visibility::Admins && graph.has_table(entity) {
        say(format!(
            "route `{name}` shows `{}` to storefronts, and `{entity}` is visible to admins only: say who else sees \
             it with `Service::visible` ({source})",
            shown.many()
        ));
    }
}

/// The paths of the allow-list that lead to records of which storefronts see none.
fn hidden_paths(registry: &Registry, resource: &Resource) -> Vec<(&'static str, &'static str)> {
    let (graph, allowed) = (&registry.graph, registry.extended.store_fields_of(resource));
    let Some(fields) = allowed else { return Vec::new() };
    let is_hidden = |it: &Relation| {
        let is_part = matches!(it.resolve, Resolve::Embedded);
        !is_part && !it.reveals && graph.visibility(it.to) == Visibility::Admins
    };
    let hidden_on = |path: &&'static str| {
        let mut entity = resource.entity;
        for segment in path.split('.') {
            let relation = graph.relation(entity, segment)?;
            if is_hidden(relation) {
                return Some((*path, relation.to));
            }
            entity = relation.to;
        }
        None
    };
    fields.whole.iter().chain(fields.parts).filter_map(hidden_on).collect()
}
