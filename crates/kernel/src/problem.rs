//! What is wrong with what is linked in: names that nothing has, names that two have, routes that match the
//! same paths. A problem names the places in the source text that it is about, and the nearest known name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use atoll_storage::leads_to;

use crate::{
    Registry,
    change_event::change_events,
    data::EntityDef,
    flow::{AnyHookPoint, HookRun},
    http::{Answer, Param, ParamKind, Resource, Route, Source},
    query::{OnDelete, Relation, Resolve},
    read_plan::unknown_paths,
    visibility,
    workflow::AnyFlow,
};

/// An inconsistency between registered parts. They are ordered by file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The places in the source text that it is about: the wrong side first, then the other.
    pub sources: Vec<Source>,
    /// What is wrong.
    pub text: String,
}

impl Problem {
    /// A problem that is not about a place in the source text, but about the configuration.
    pub(crate) fn of_no_place(text: String) -> Problem {
        Problem { sources: Vec::new(), text }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.sources.iter().try_for_each(|source| write!(f, "\n    in {source}"))
    }
}

/// Upper bound of the edits between a wrong name and the one that is proposed, as a part of its length: with
/// more, another name was meant.
const TYPOS_PART: usize = 3;

/// The nearest known name, as a hint: ` (did you mean …?)`; nothing if none is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = known.into_iter().map(|it| (strsim::damerau_levenshtein(name, it), it)).min();
    match near {
        Some((n_edits, near)) if n_edits <= name.chars().count().div_ceil(TYPOS_PART) => {
            format!(" (did you mean `{near}`?)")
        }
        _ => String::new(),
    }
}

/// Everything that is wrong with the registry, by file.
pub(crate) fn problems(registry: &Registry, relations: &[Relation]) -> Vec<Problem> {
    let mut report = Report { registry, relations, problems: Vec::new() };
    report.check_names_are_unique();
    registry.provider_problems().into_iter().for_each(|it| report.say([None], it));
    registry.setting_problems().into_iter().for_each(|(source, it)| report.say([source], it));
    report.check_entities();
    report.check_links();
    relations.iter().for_each(|it| report.check_relation(it));
    report.check_shadows();
    report.check_history();
    report.check_projections();
    registry.routes.iter().for_each(|it| report.check_route(it));
    report.check_paths();
    visibility::problems(registry, &mut |text| report.say([None], text));
    registry.resources.iter().for_each(|it| report.check_resource(it));
    report.check_hooks();
    report.check_subscribers();
    report.check_jobs();
    report.problems.sort();
    report.problems.dedup();
    report.problems
}

struct Report<'a> {
    registry: &'a Registry,
    relations: &'a [Relation],
    problems: Vec<Problem>,
}

impl Report<'_> {
    fn say(&mut self, sources: impl IntoIterator<Item = Option<Source>>, text: String) {
        let mut known: Vec<Source> = Vec::new();
        for source in sources.into_iter().flatten() {
            if !known.contains(&source) {
                known.push(source);
            }
        }
        self.problems.push(Problem { sources: known, text });
    }

    /// Where the module is registered that has this entity.
    fn module_of(&self, entity: &str) -> Option<Source> {
        let has =
            |def: &EntityDef| def.name == entity || def.embeds.iter().any(|it| (it.entity)().name == entity);
        let module = self
            .registry
            .modules
            .iter()
            .find(|module| module.services.iter().any(|service| has(service.table().def())))?;
        self.registry.source_of(*module)
    }

    /// Where a relation is registered: by a field link, a link or a module.
    fn source_of_relation(&self, relation: &Relation) -> Option<Source> {
        let registry = self.registry;
        let by_field = registry.field_links.iter().find(|it| {
            it.from == relation.from && it.relation == relation.name
                || it.to == relation.from && it.back == Some(relation.name)
        });
        let by_link = || {
            registry.links.iter().find(|link| {
                let ends = [&link.left, &link.right];
                link.name == relation.from
                    || ends.iter().any(|it| {
                        it.entity == relation.from
                            && (it.others == Some(relation.name) || it.rows == relation.name)
                    })
            })
        };
        match by_field {
            Some(it) => registry.source_of(*it),
            None => match by_link() {
                Some(it) => registry.source_of(*it),
                None => self.module_of(relation.from),
            },
        }
    }

    fn entity_names(&self) -> Vec<&'static str> {
        self.registry.graph.entities().iter().map(|it| it.name).collect()
    }

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

    fn check_names_are_unique(&mut self) {
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
        self.unique("flow", it.flows.iter().map(|one| of(one.name(), it.source_of(*one))));
        let points = it.flows.iter().flat_map(|flow| {
            let points = flow.hooks().iter().chain(flow.external_hooks());
            points.map(|point| (format!("{}.{}", flow.name(), point.name()), it.source_of(*flow)))
        });
        self.unique("hook point", points);
        self.unique("hook", it.hooks.iter().map(|one| of(one.name, it.source_of(*one))));
        let tables = it.settings.iter().map(|one| of(one.module, it.source_of(*one)));
        self.unique("table of settings", tables);
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

    /// The names in the clauses of entities and in their indexes.
    fn check_entities(&mut self) {
        for table in self.registry.tables() {
            let def = table.def();
            let source = self.module_of(def.name);
            for name in def.on_request.iter().filter(|it| !def.computed.contains(it)) {
                let hint = nearest(name, def.computed.iter().copied());
                self.say(
                    [source],
                    format!("`{}` computes `{name}` on request, and does not compute it{hint}", def.name),
                );
            }
            for index in table.index_defs() {
                for field in index.fields.iter().filter(|it| !has_field(def, it)) {
                    let hint = nearest(field, def.fields.iter().copied());
                    // An index over what several fields say together has a name of its own, near to none.
                    if hint.is_empty() {
                        continue;
                    }
                    self.say(
                        [source],
                        format!(
                            "the index `{}` is on the field `{field}`, which `{}` does not have{hint}",
                            index.space, def.name
                        ),
                    );
                }
            }
        }
    }

    fn check_links(&mut self) {
        let (graph, names) = (&self.registry.graph, self.entity_names());
        for link in &self.registry.links {
            for end in [&link.left, &link.right] {
                if !graph.has_table(end.entity) {
                    let hint = nearest(end.entity, names.iter().copied());
                    self.say(
                        [self.registry.source_of(*link)],
                        format!("link `{}` names `{}`, which no module has{hint}", link.name, end.entity),
                    );
                }
            }
        }
        for it in &self.registry.computed {
            if graph.entity(it.entity).is_none() {
                let hint = nearest(it.entity, names.iter().copied());
                self.say(
                    [self.registry.source_of(*it)],
                    format!(
                        "computed field `{}.{}` is on an entity that no module has{hint}",
                        it.entity, it.name
                    ),
                );
            }
        }
    }

    fn check_relation(&mut self, relation: &Relation) {
        let graph = &self.registry.graph;
        let name = format!("relation `{}.{}`", relation.from, relation.name);
        let here = self.source_of_relation(relation);
        let Some(from) = graph.entity(relation.from) else {
            let hint = nearest(relation.from, self.entity_names());
            return self.say([here], format!("{name} starts from an entity that no module has{hint}"));
        };
        let Some(to) = graph.entity(relation.to) else {
            let hint = nearest(relation.to, self.entity_names());
            return self.say([here], format!("{name} leads to `{}`, which no module has{hint}", relation.to));
        };
        let (there, back) = (self.module_of(from.name), self.module_of(to.name));
        match relation.resolve {
            Resolve::Field(field) if !from.fields.contains(&field) => {
                let hint = nearest(field, from.fields.iter().copied());
                let text =
                    format!("{name} uses the field `{field}`, which `{}` does not have{hint}", from.name);
                self.say([here, there], text);
            }
            Resolve::Field(_) | Resolve::Back(_) if !graph.has_table(to.name) => {
                self.say([here, back], format!("{name} leads to `{}`, which has no table", to.name));
            }
            Resolve::Field(field)
                if relation.on_delete == OnDelete::Clear && !graph.table(from.name).has_index(field) =>
            {
                let text = format!("{name} is cleared, and needs an index on `{}.{field}`", from.name);
                self.say([here, there], text);
            }
            Resolve::Back(field) if !graph.table(to.name).has_index(field) => {
                self.say([here, back], format!("{name} needs an index on `{}.{field}`", to.name));
            }
            _ => {}
        }
    }

    /// Names that would replace a field of the record in every answer.
    fn check_shadows(&mut self) {
        let graph = &self.registry.graph;
        let is_field = |entity: &str, name: &str| {
            graph.entity(entity).is_some_and(|def| def.fields.contains(&name) || def.computed.contains(&name))
        };
        for it in self.relations.iter().filter(|it| is_field(it.from, it.name)) {
            let sources = [self.source_of_relation(it), self.module_of(it.from)];
            self.say(
                sources,
                format!("relation `{}.{}` has the name of a field, which it would hide", it.from, it.name),
            );
        }
        for it in &self.registry.computed {
            let sources = [self.registry.source_of(*it), self.module_of(it.entity)];
            let name = format!("computed field `{}.{}`", it.entity, it.name);
            if is_field(it.entity, it.name) {
                self.say(sources, format!("{name} has the name of a field, which it would hide"));
            } else if let Some(relation) = graph.relation(it.entity, it.name) {
                let sources = [sources[0], self.source_of_relation(relation)];
                self.say(sources, format!("{name} has the name of a relation, which would hide it"));
            }
        }
    }

    fn check_history(&mut self) {
        for (key, fields) in &self.registry.format().fields {
            for field in leads_to(fields.history).filter(|it| !fields.kinds.contains_key(it)) {
                let source = key.split(' ').next_back().and_then(|it| self.module_of(it));
                self.say(
                    [source],
                    format!("the history of `{key}` leads to `{field}`, which it does not have"),
                );
            }
        }
    }

    fn check_projections(&mut self) {
        for projection in &self.registry.projections {
            for of in projection.follows.iter().filter(|it| self.registry.graph.entity(it).is_none()) {
                let why = match self.registry.left_out.module_of(of) {
                    Some(module) => format!("of the module `{module}`, which is switched off"),
                    None => format!("which is no entity and no link{}", nearest(of, self.entity_names())),
                };
                self.say(
                    [self.registry.source_of(*projection)],
                    format!("projection `{}` follows `{of}`, {why}", projection.name),
                );
            }
        }
    }

    fn check_route(&mut self, route: &'static Route) {
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
                (ParamKind::Nested(inner), Some(relation)) => {
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
    fn check_paths(&mut self) {
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

    fn check_resource(&mut self, resource: &'static Resource) {
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

    fn check_hooks(&mut self) {
        for hook in &self.registry.hooks {
            let is_external = matches!(hook.run, HookRun::External { .. });
            let points = |it: &&'static dyn AnyFlow| {
                let inner = if is_external { &[][..] } else { it.hooks() };
                let (flow, outer) = (*it, it.external_hooks());
                inner.iter().chain(outer).map(move |point| (flow, *point))
            };
            let points: Vec<_> = self.registry.flows.iter().flat_map(points).collect();
            let joined = points.iter().filter(|(flow, point)| hook.joins(flow.name(), *point));
            let joined: Vec<_> = joined.copied().collect();
            let own = self.registry.source_of(*hook);
            for (flow, point) in &joined {
                let name = format!("{}.{}", flow.name(), point.name());
                for misfit in hook.misfits(*point) {
                    let text = format!("hook `{}` does not fit `{name}`: it {misfit}", hook.name);
                    self.say([own, self.registry.source_of(*flow)], text);
                }
            }
            if joined.is_empty() {
                let what = if is_external { "calls to the outside" } else { "hooks" };
                let at = hook.at.to_string();
                let named = |(flow, point): &(&dyn AnyFlow, &dyn AnyHookPoint)| {
                    if at.contains('.') {
                        format!("{}.{}", flow.name(), point.name())
                    } else {
                        point.name().into()
                    }
                };
                let names: Vec<String> = points.iter().map(named).collect();
                let hint = nearest(&at, names.iter().map(String::as_str));
                self.say(
                    [own],
                    format!("hook `{}` joins `{at}`, where no flow takes {what}{hint}", hook.name),
                );
            }
        }
    }

    /// Subscribers to events that nothing emits.
    fn check_subscribers(&mut self) {
        let mut known: BTreeSet<String> =
            self.registry.events.iter().flat_map(|it| it.names).map(|it| (*it).to_owned()).collect();
        let left_out = &self.registry.left_out;
        let modules = self.registry.modules.iter().chain(&left_out.modules).copied();
        let links = self.registry.links.iter().chain(&left_out.links).copied();
        known.extend(change_events(modules, links).into_iter().flat_map(|(_, names)| names).flatten());
        known.insert("*".to_owned());
        for subscriber in &self.registry.subscribers {
            for event in subscriber.events.iter().filter(|it| !known.contains(**it)) {
                let hint = nearest(event, known.iter().map(String::as_str));
                self.say(
                    [self.registry.source_of(*subscriber)],
                    format!(
                        "subscriber `{}` follows `{event}`, which nothing emits{hint}; the crate that emits it \
                         declares it with `events!`",
                        subscriber.name
                    ),
                );
            }
        }
    }

    fn check_jobs(&mut self) {
        for job in &self.registry.jobs {
            if let Err(error) = job.schedule.plan() {
                self.say(
                    [self.registry.source_of(*job)],
                    format!("job `{}` has a schedule that cannot be read: {error}", job.name),
                );
            }
        }
    }
}

/// Has the record this field, or one of the records in it (`items.id`)?
fn has_field(def: &EntityDef, path: &str) -> bool {
    let below = |(embed, field): (&str, &str)| {
        def.embeds.iter().any(|it| it.name == embed && (it.entity)().fields.contains(&field))
    };
    def.fields.contains(&path) || path.split_once('.').is_some_and(below)
}

fn name_of(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// Is this the static that a route shows?
fn is_same(resource: &Resource, shown: &dyn crate::http::Envelope) -> bool {
    std::ptr::addr_eq(std::ptr::from_ref(resource), std::ptr::from_ref(shown))
}
