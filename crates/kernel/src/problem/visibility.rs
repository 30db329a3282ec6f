//! What is wrong with what storefronts are shown: store routes without an allow-list or of records that only
//! admins see, allow-lists that lead to such records, and visibilities that name what is not there.

use std::ptr;

use super::{Report, names::name_of};
use crate::{
    Registry,
    data::EntityDef,
    http::{Envelope, Resource, Route, Source},
    query::{Graph, Relation, Resolve, Visibility},
};

impl Report<'_> {
    pub(super) fn check_visibility(&mut self) {
        let registry = self.registry;
        registry.tables().for_each(|table| self.check_who_sees(table.def()));
        for route in registry.routes.iter().filter(|it| it.auth.is_store()) {
            route.answer.envelopes().into_iter().for_each(|it| self.check_shown(route, it));
        }
        for resource in &registry.resources {
            let source = source_of_resource(registry, resource);
            for (path, entity) in hidden_paths(registry, resource) {
                let text = format!(
                    "`{}` lets storefronts ask for `{path}`, which stays hidden: `{entity}` is visible to admins only",
                    resource.many
                );
                self.say([source], text);
            }
        }
    }

    /// Does the visibility of an entity name fields and relations that it has?
    fn check_who_sees(&mut self, entity: &EntityDef) {
        let (registry, graph, name) = (self.registry, &self.registry.graph, entity.name);
        let source = [self.module_of(name)];
        let visibility = graph.visibility(name);
        let fields = match visibility {
            Visibility::OfChannel(field) | Visibility::OfCustomer(field) => vec![field],
            Visibility::ById { channel, customer } => vec![channel, customer],
            _ => Vec::new(),
        };
        for field in fields.into_iter().filter(|it| !entity.fields.contains(it)) {
            self.say(source, format!("`{name}` is visible by its field `{field}`, which it does not have"));
        }
        let Visibility::With(relations) = visibility else { return };
        // A relation may be left out with an optional module.
        let is_known =
            |it: &&str| graph.relation(name, it).is_some() || registry.left_out.would_show(name, it);
        for it in relations.iter().filter(|it| !is_known(it)) {
            self.say(source, format!("`{name}` is visible with its `{it}`, which is no relation of it"));
        }
        if leads_back(graph, name, name, &mut Vec::new()) {
            self.say(source, format!("`{name}` is visible with records that are visible with it"));
        }
    }

    /// Does a store route say what it offers, of records that storefronts see?
    fn check_shown(&mut self, route: &Route, shown: &dyn Envelope) {
        let (graph, name, entity) = (&self.registry.graph, name_of(route), shown.entity());
        let (many, source) = (shown.many(), [Some(route.source)]);
        if shown.store_fields().is_none() {
            self.say(
                source,
                format!(
                    "route `{name}` shows `{many}` to storefronts, whose resource does not say which fields they \
                     may ask for: set its `store_fields`"
                ),
            );
        }
        if graph.visibility(entity) == Visibility::Admins && graph.has_table(entity) {
            self.say(
                source,
                format!(
                    "route `{name}` shows `{many}` to storefronts, and `{entity}` is visible to admins only: say \
                     who else sees it with `Service::visible`"
                ),
            );
        }
    }
}

/// Where a resource is shown: it is registered with the routes of its table.
fn source_of_resource(registry: &Registry, resource: &Resource) -> Option<Source> {
    let is_it = |it: &dyn Envelope| ptr::addr_eq(ptr::from_ref(it), ptr::from_ref(resource));
    let shows = |route: &&&Route| route.answer.envelopes().into_iter().any(is_it);
    registry.routes.iter().find(shows).map(|it| it.source)
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
