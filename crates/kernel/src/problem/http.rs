//! What is wrong with routes, middleware and resources: paths, parameters, filters, fields.

use std::collections::{BTreeMap, BTreeSet};

use super::{Report, names::name_of, nearest};
use crate::{
    http::{Answer, Param, ParamKind, Resource, Route, is_below},
    read_plan::unknown_paths,
};

impl Report<'_> {
    pub(super) fn check_middleware(&mut self) {
        for it in &self.registry.middleware {
            if !self.registry.routes.iter().any(|route| it.is_before(route)) {
                let hint = nearest(it.prefix, self.registry.routes.iter().map(|it| it.path));
                let text =
                    format!("middleware `{}` is before `{}`, where no route is{hint}", it.name, it.prefix);
                self.say([self.registry.source_of(*it)], text);
            }
        }
    }

    pub(super) fn check_led(&mut self) {
        for it in &self.registry.led {
            let prefix = it.path.prefix;
            if !self.registry.routes.iter().any(|route| is_below(route.path, prefix)) {
                let hint = nearest(prefix, self.registry.routes.iter().map(|it| it.path));
                let text = format!("`{prefix}` is for the host that leads, and no route is there{hint}");
                self.say([Some(it.source)], text);
            }
        }
    }

    pub(super) fn check_route(&mut self, route: &'static Route) {
        let (name, source) = (format!("route `{}`", name_of(route)), [Some(route.source)]);
        if route.text.trim().is_empty() {
            self.say(source, format!("{name} has no doc comment"));
        }
        if !route.path.starts_with('/') || (route.path.len() > 1 && route.path.ends_with('/')) {
            self.say(source, format!("{name} does not begin with a slash, or ends with one"));
        }
        let mut parameters = BTreeSet::new();
        for segment in route.path.split('/') {
            let is_new = segment.strip_prefix(':').is_none_or(|it| !it.is_empty() && parameters.insert(it));
            if !is_new || segment.contains(['{', '}', '*']) {
                self.say(
                    source,
                    format!(
                        "{name} has the segment `{segment}`: a segment is `text` or `:parameter`, and no two \
                         parameters have one name"
                    ),
                );
            }
        }
        if let Some(flag) = route.flag.filter(|flag| !self.registry.flags.iter().any(|it| it.name == *flag)) {
            let hint = nearest(flag, self.registry.flags.iter().map(|it| it.name));
            self.say(source, format!("{name} depends on `{flag}`, which is no feature flag{hint}"));
        }
        if let Answer::Page(shown) = route.answer
            && let Some(resource) = self.registry.resources.iter().find(|it| is_same(it, shown))
        {
            for (filter, hint) in self.unknown_filters(shown.entity(), resource.renamed, route.params.own) {
                self.say(
                    [Some(route.source), self.module_of(shown.entity())],
                    format!(
                        "{name} filters by `{filter}`, which `{}` does not have{hint}; a parameter of the route \
                         itself says what it does, with `Param::about`",
                        shown.entity()
                    ),
                );
            }
        }
    }

    /// The filters on fields and relations that the entity does not have, each with the nearest name. What
    /// has a text of its own is no filter.
    fn unknown_filters(
        &self,
        entity: &str,
        renamed: &[(&str, &str)],
        params: &[Param],
    ) -> Vec<(String, String)> {
        let graph = &self.registry.graph;
        let Some(def) = graph.entity(entity) else { return Vec::new() };
        let mut unknown = Vec::new();
        for param in params.iter().filter(|it| it.text.is_empty()) {
            let relation = graph.relation(entity, param.name);
            match (&param.kind, relation) {
                (ParamKind::Nested(inner) | ParamKind::Related(inner), Some(relation)) => {
                    let below = self.unknown_filters(relation.to, &[], inner);
                    unknown
                        .extend(below.into_iter().map(|(it, hint)| (format!("{}.{it}", param.name), hint)));
                }
                (_, Some(_)) => {}
                _ if self.registry.left_out.would_show(entity, param.name) => {}
                _ if def.fields.contains(&param.name) || renamed.iter().any(|it| it.0 == param.name) => {}
                _ => {
                    let relations = graph.relations(entity).map(|it| it.name);
                    let hint = nearest(param.name, def.fields.iter().copied().chain(relations));
                    unknown.push((param.name.to_owned(), hint));
                }
            }
        }
        unknown
    }

    /// Routes that match the same paths under other names of their parameters: no router takes both.
    pub(super) fn check_paths(&mut self) {
        let mut by_shape = BTreeMap::<String, Vec<&'static Route>>::new();
        for route in self.registry.routes.iter().copied() {
            let segments = route.path.split('/').map(|it| if it.starts_with(':') { ":" } else { it });
            by_shape.entry(segments.collect::<Vec<_>>().join("/")).or_default().push(route);
        }
        for routes in by_shape.into_values() {
            for (place, other) in routes.iter().enumerate() {
                let Some(first) = routes[..place].iter().find(|it| it.path != other.path) else { continue };
                self.say(
                    [Some(first.source), Some(other.source)],
                    format!(
                        "routes `{}` and `{}` match the same paths: give their parameters the same names",
                        name_of(first),
                        name_of(other)
                    ),
                );
                break;
            }
        }
    }

    pub(super) fn check_resource(&mut self, resource: &'static Resource) {
        let graph = &self.registry.graph;
        for path in unknown_paths(self.registry, resource) {
            let hint = match graph.entity(resource.entity) {
                Some(def) if path != resource.entity => {
                    let relations = graph.relations(def.name).map(|it| it.name);
                    let computed = graph.computed_fields(def.name).map(|it| it.name);
                    let fields = def.fields.iter().chain(def.computed).copied();
                    nearest(path.trim_start_matches('*'), fields.chain(relations).chain(computed))
                }
                _ => nearest(path, self.entity_names()),
            };
            self.say(
                [self.registry.source_of(resource), self.module_of(resource.entity)],
                format!("`{}` shows `{path}`, which nothing has{hint}", resource.many),
            );
        }
    }
}

/// Is this the static that a route shows?
fn is_same(resource: &Resource, shown: &dyn crate::http::Envelope) -> bool {
    std::ptr::addr_eq(std::ptr::from_ref(resource), std::ptr::from_ref(shown))
}
