//! Names that two parts have: modules, entities, key spaces, links, routes, flows and so on.

use std::collections::BTreeMap;

use super::Report;
use crate::{
    http::{Route, Source},
    query::Relation,
    registry::ProviderEntry,
};

impl Report<'_> {
    fn unique(&mut self, what: &str, names: impl IntoIterator<Item = (String, Option<Source>)>) {
        let mut all = BTreeMap::<String, Vec<Option<Source>>>::new();
        names.into_iter().for_each(|(name, source)| all.entry(name).or_default().push(source));
        for (name, mut sources) in all.into_iter().filter(|(_, sources)| sources.len() > 1) {
            // The linker registers them in any order.
            sources.sort();
            let n = sources.len();
            self.say(sources, format!("{what} `{name}` is registered {n} times"));
        }
    }

    pub(super) fn check_names_are_unique(&mut self) {
        let it = self.registry;
        let mut tables = Vec::new();
        for module in &it.modules {
            let source = it.source_of(*module);
            tables.extend(module.services.iter().map(|service| (service.table(), source)));
        }
        let of = |name: &str, source| (name.to_owned(), source);
        self.unique("module", it.modules.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("entity", tables.iter().map(|(table, source)| of(table.def().name, *source)));
        let prefixes = tables.iter().map(|(table, source)| of(table.def().prefix, *source));
        let prefixes = prefixes.chain(it.links.iter().map(|one| of(one.prefix, it.source_of(*one))));
        self.unique("id prefix", prefixes.filter(|(prefix, _)| !prefix.is_empty()));
        let of_tables = tables.iter().flat_map(|(table, source)| {
            table.spaces().into_iter().map(|space| of(space, *source)).collect::<Vec<_>>()
        });
        let of_links = it
            .links
            .iter()
            .flat_map(|one| [one.name, one.reverse, one.deleted].map(|space| of(space, it.source_of(*one))));
        let of_projections = it
            .projections
            .iter()
            .flat_map(|one| one.spaces.iter().map(|space| of(space, it.source_of(*one))));
        let mut spaces: Vec<_> = of_tables.chain(of_links).chain(of_projections).collect();
        // Those of the kernel and of modules beside their tables.
        let mut others = it.spaces();
        for (space, _) in &spaces {
            if let Some(place) = others.iter().position(|it| *it == space) {
                others.swap_remove(place);
            }
        }
        spaces.extend(others.into_iter().map(|space| of(space, None)));
        self.unique("key space", spaces);
        self.unique("link", it.links.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("projection", it.projections.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("route", it.routes.iter().map(|one| (name_of(one), Some(one.source))));
        self.unique("subscriber", it.subscribers.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("worker", it.workers.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("metric", it.metrics.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("flow", it.flows.iter().map(|one| of(one.name(), it.source_of(*one))));
        let points = it.flows.iter().flat_map(|flow| {
            let points = flow.hooks().iter().chain(flow.external_hooks());
            points.map(|point| (format!("{}.{}", flow.name(), point.name()), it.source_of(*flow)))
        });
        self.unique("hook point", points);
        self.unique("middleware", it.middleware.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("hook", it.hooks.iter().map(|one| of(one.name, it.source_of(*one))));
        let tables = it.settings.iter().map(|one| of(one.module, it.source_of(*one)));
        self.unique("table of settings", tables);
        let kinds = it.provider_kinds.iter().map(|one| of(one.name, Some(one.source)));
        self.unique("kind of providers", kinds);
        self.unique("provider", it.providers.iter().map(|one| (provider_name(one), Some(one.source))));
        self.unique("feature flag", it.flags.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("check", it.checks.iter().map(|one| of(one.name, it.source_of(*one))));
        self.unique("job", it.jobs.iter().map(|one| of(one.name, it.source_of(*one))));
        let relations = self.relations.iter();
        let named = |one: &Relation| format!("{}.{}", one.from, one.name);
        let relations: Vec<_> = relations.map(|one| (named(one), self.source_of_relation(one))).collect();
        self.unique("relation", relations);
        self.unique(
            "computed field",
            it.computed.iter().map(|one| (format!("{}.{}", one.entity, one.name), it.source_of(*one))),
        );
    }
}

/// `payment pp_bank`: the kind of a provider, and its id.
pub(super) fn provider_name(provider: &ProviderEntry) -> String {
    format!("{} {}", provider.kind, provider.id)
}

pub(super) fn name_of(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}
