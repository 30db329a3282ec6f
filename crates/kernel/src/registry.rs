//! The registry: everything that crates have registered at link time, checked once at the start.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, ptr,
    sync::OnceLock,
};

use atoll_storage::leads_to;
use linkme::distributed_slice;

pub use crate::flag::{FeatureFlag, FlagEntry, Flags};
pub use crate::optional::{LeftOut, PartOf, Place, address};
pub use crate::provider::{ProviderChoice, ProviderEntry, ProviderKind, ProviderKindEntry, Providers};
use crate::{
    Moment, Write,
    change_event::Followed,
    ctx::Route,
    data::{AnyService, CLEARED_REFERENCES, RowError, SEQUENCES, Space, SpaceDef, TableSource},
    flow::{Hook, HookEntry, HookRun},
    job::{Job, JobEntry},
    jobs::EVENTS,
    link::{self, FIELD_LINKS, FieldLink, LINKS, Link},
    migration::FORMAT,
    module::{MODULES, Module},
    projection::{PROJECTIONS, Projection},
    query::{Computed, Graph, OnDelete, Relation, Resolve},
    read_plan::unknown_paths,
    reference,
    resource::{Resource, ResourceEntry},
    subscriber::{Subscriber, SubscriberEntry},
    verify::{CHECKS, Check},
    visibility,
    workflow::{AnyFlow, FlowEntry},
};

/// Everything that is linked into the program.
#[derive(Default)]
pub struct Registry {
    /// The modules, by name.
    pub modules: Vec<&'static Module>,
    /// The links, by name.
    pub links: Vec<&'static Link>,
    /// The relations through fields (foreign keys), by entity and name.
    pub field_links: Vec<&'static FieldLink>,
    /// The projections, by name.
    pub projections: Vec<&'static Projection>,
    /// The routes, by path and method.
    pub routes: Vec<&'static Route>,
    /// The resources that routes show, by entity and name.
    pub resources: Vec<&'static Resource>,
    /// The subscribers, by name.
    pub subscribers: Vec<&'static Subscriber>,
    /// The jobs, by name.
    pub jobs: Vec<&'static Job>,
    /// The flows and sagas, by name.
    pub flows: Vec<&'static dyn AnyFlow>,
    /// The hooks, by name.
    pub hooks: Vec<&'static Hook>,
    /// The kinds of providers, by name.
    pub provider_kinds: Vec<&'static ProviderKindEntry>,
    /// The providers, by kind and id.
    pub providers: Vec<&'static ProviderEntry>,
    /// The feature flags, by name.
    pub flags: Vec<&'static FeatureFlag>,
    /// The computed fields, by entity and name.
    pub computed: Vec<&'static Computed>,
    /// The checks of `verify`, by name.
    pub checks: Vec<&'static Check>,
    /// The graph of entities and relations.
    pub graph: Graph,
    /// The relations whose field is cleared when their target is deleted, with that field.
    #[doc(hidden)]
    pub cleared: Vec<(Relation, &'static str)>,
    /// Change events that have a subscriber.
    #[doc(hidden)]
    pub followed: Followed,
    /// The modules that are switched off, and what went with them.
    #[doc(hidden)]
    pub left_out: LeftOut,
}

/// A route, as `routes!` submits it.
pub struct RouteEntry(pub &'static Route);

inventory::collect!(RouteEntry);

/// All computed fields that are linked in.
#[distributed_slice]
pub static COMPUTED: [&'static Computed];

/// Registers a computed field.
#[macro_export]
macro_rules! computed {
    ($(#[$meta:meta])* $vis:vis static $NAME:ident = $computed:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::query::Computed = $computed;

        const _: () = {
            #[$crate::linkme::distributed_slice($crate::COMPUTED)]
            #[linkme(crate = $crate::linkme)]
            static REGISTERED: &$crate::query::Computed = &$NAME;

            $crate::place! { &$NAME }
        };
    };
}

/// Registers routes: method, path (a literal, or several with `+` between), auth, parameters, body (with
/// `up_to` more bytes than the default limit, if it needs them), handler. After `with "flag";` come the
/// routes of a feature flag. After `of RESOURCE;` the answers are of that resource: reading answers with a
/// page or a record, writing with a record, deleting with a "deleted" answer; a line with another answer
/// names it behind its handler, as `=> batch: Answer::Batch(&RESOURCE);`. After `raw;` come routes that get
/// the bytes of the body as they were sent, of any content and up to a limit; for webhooks, which have no
/// other auth than their signature ([`check_signature`](crate::http::check_signature)).
///
/// The doc comment of a line is its text in OpenAPI: its first sentence is the summary. A route without one
/// is a problem.
///
/// ```ignore
/// routes! {
///     /// Lists the restocks that were announced.
///     Get "/admin/restocks" (Admin, LIST) => list;
///     /// Announces a restock. Its variant must be in stock again within a year.
///     Post "/admin/restocks" (Admin, FIELDS, CREATE) => create;
/// }
/// ```
#[macro_export]
macro_rules! routes {
    (with $flag:literal; of $Shown:expr; $($rest:tt)*) => {
        $crate::resources! { $Shown }
        $crate::routes! { @ Some($flag), Some(&$Shown as &dyn $crate::http::Envelope), $($rest)* }
    };
    (with $flag:literal; $($rest:tt)*) => {
        $crate::routes! { @ Some($flag), None, $($rest)* }
    };
    (of $Shown:expr; $($rest:tt)*) => {
        $crate::resources! { $Shown }
        $crate::routes! { @ None, Some(&$Shown as &dyn $crate::http::Envelope), $($rest)* }
    };
    (
        raw;
        $(
            $(#[$($meta:tt)*])*
            $Method:ident $path:literal $(+ $more:literal)*
            ($Auth:ident, $params:expr, up_to $bytes:expr) => $handler:path $(: $answer:expr)?;
        )*
    ) => {
        $(
            $crate::routes! { # None, None, $Method concat!($path $(, $more)*), {$(#[$($meta)*])*} $Auth, $params,
                $crate::http::RequestBody::Raw, Some($bytes), $crate::or_none!($($answer)?), $handler }
        )*
    };
    (
        @ $flag:expr, $shown:expr,
        $(
            $(#[$($meta:tt)*])*
            $Method:ident $path:literal $(+ $more:literal)*
            ($Auth:ident, $params:expr $(, $body:expr $(, up_to $bytes:expr)?)?) => $handler:path
            $(: $answer:expr)?;
        )*
    ) => {
        $(
            $crate::routes! {
                # $flag, $shown, $Method concat!($path $(, $more)*), {$(#[$($meta)*])*} $Auth, $params,
                $crate::http::RequestBody::of($crate::or_none!($($body)?)), $crate::or_none!($($($bytes)?)?),
                $crate::or_none!($($answer)?), $handler
            }
        )*
    };
    (
        # $flag:expr, $shown:expr, $Method:ident $path:expr, {$($text:tt)*} $Auth:ident, $params:expr,
        $body:expr, $bytes:expr, $answer:expr, $handler:path
    ) => {
        const _: () = {
            static ROUTE: $crate::http::Route = $crate::http::Route {
                method: $crate::http::Method::$Method,
                path: $path,
                text: $crate::doc_text!($($text)*),
                auth: $crate::http::Auth::$Auth,
                params: &$params,
                body: $body,
                body_bytes_max: $bytes,
                answer: $crate::http::Answer::of(
                    $answer, $shown, $crate::http::Method::$Method, &$params,
                ),
                flag: $flag,
                handler: |call| Box::pin($handler(call)),
                source: $crate::source!(),
            };

            $crate::inventory::submit! { $crate::http::RouteEntry(&ROUTE) }
            $crate::place! { &ROUTE }
        };
    };
    ($($routes:tt)*) => {
        $crate::routes! { @ None, None, $($routes)* }
    };
}

/// The place in the source text where the macro that calls this one is called.
#[doc(hidden)]
#[macro_export]
macro_rules! source {
    () => {
        $crate::http::Source { package: env!("CARGO_PKG_NAME"), file: file!(), line: line!() }
    };
}

/// The text of doc comments, one line each. Other attributes are left out.
#[doc(hidden)]
#[macro_export]
macro_rules! doc_text {
    (@ [$($line:expr,)*]) => {
        concat!("" $(, $line, "\n")*)
    };
    (@ [$($line:expr,)*] #[doc = $next:expr] $($rest:tt)*) => {
        $crate::doc_text!(@ [$($line,)* $next,] $($rest)*)
    };
    (@ [$($line:expr,)*] #[$($other:tt)*] $($rest:tt)*) => {
        $crate::doc_text!(@ [$($line,)*] $($rest)*)
    };
    ($($attributes:tt)*) => {
        $crate::doc_text!(@ [] $($attributes)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! or_none {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// An inconsistency between registered parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The registry of this process.
struct Chosen {
    /// The modules that are switched off.
    off: BTreeSet<String>,
    registry: Result<Registry, Vec<Problem>>,
}

static REGISTRY: OnceLock<Chosen> = OnceLock::new();

impl Registry {
    /// The registry, or everything that is wrong with it: of everything that is linked in, unless
    /// [`Registry::without`] was called first.
    pub fn linked() -> Result<&'static Registry, &'static [Problem]> {
        Self::chosen(&BTreeSet::new()).registry.as_ref().map_err(Vec::as_slice)
    }

    /// The registry without these optional modules, by name, or everything that is wrong with it. A process
    /// has one registry: the first call decides, and a later one that leaves out others is an error.
    pub fn without(off: &BTreeSet<String>) -> Result<&'static Registry, Vec<Problem>> {
        let chosen = Self::chosen(off);
        if chosen.off != *off {
            return Err(vec![Problem(format!(
                "the modules of a process are chosen once: it runs without {:?}, and cannot run without {off:?}",
                chosen.off
            ))]);
        }
        chosen.registry.as_ref().map_err(Clone::clone)
    }

    fn chosen(off: &BTreeSet<String>) -> &'static Chosen {
        let build = || {
            let mut parts = Registry {
                modules: MODULES.to_vec(),
                links: LINKS.to_vec(),
                field_links: FIELD_LINKS.to_vec(),
                projections: PROJECTIONS.to_vec(),
                computed: COMPUTED.to_vec(),
                checks: CHECKS.to_vec(),
                routes: inventory::iter::<RouteEntry>.into_iter().map(|entry| entry.0).collect(),
                resources: inventory::iter::<ResourceEntry>.into_iter().map(|entry| entry.0).collect(),
                subscribers: inventory::iter::<SubscriberEntry>.into_iter().map(|entry| entry.0).collect(),
                flows: inventory::iter::<FlowEntry>.into_iter().map(|entry| entry.0).collect(),
                flags: inventory::iter::<FlagEntry>.into_iter().map(|entry| entry.0).collect(),
                hooks: inventory::iter::<HookEntry>.into_iter().map(|entry| entry.0).collect(),
                provider_kinds: inventory::iter::<ProviderKindEntry>.into_iter().collect(),
                providers: inventory::iter::<ProviderEntry>.into_iter().collect(),
                jobs: inventory::iter::<JobEntry>.into_iter().map(|entry| entry.0).collect(),
                ..Registry::default()
            };
            parts.modules.sort_by_key(|it| it.name);
            let problems = parts.leave_out(off);
            let registry = if problems.is_empty() { parts.build() } else { Err(problems) };
            Chosen { off: off.clone(), registry }
        };
        REGISTRY.get_or_init(build)
    }

    /// The registry.
    ///
    /// # Panics
    /// When it is inconsistent, which is checked at every start.
    pub(crate) fn get() -> &'static Registry {
        match Self::linked() {
            Ok(registry) => registry,
            Err(problems) => panic!("the registry is inconsistent: {problems:?}"),
        }
    }

    /// The graph of what is linked in.
    ///
    /// # Panics
    /// When it is inconsistent, which is checked at every start.
    pub fn graph() -> &'static Graph {
        &Self::get().graph
    }

    /// Builds the graph, and checks that all parts are consistent; returns every problem.
    pub fn build(mut self) -> Result<Registry, Vec<Problem>> {
        // The linker's order is arbitrary, and differs between builds.
        self.modules.sort_by_key(|it| it.name);
        self.links.sort_by_key(|it| it.name);
        self.field_links.sort_by_key(|it| (it.from, it.relation));
        self.projections.sort_by_key(|it| it.name);
        self.computed.sort_by_key(|it| (it.entity, it.name));
        self.checks.sort_by_key(|it| it.name);
        self.routes.sort_by_key(|it| (it.path, it.method));
        self.resources.sort_by_key(|it| (it.entity, it.one, ptr::from_ref(*it).addr()));
        // Several tables of routes may have the same resource.
        self.resources.dedup_by_key(|it| ptr::from_ref(*it).addr());
        self.subscribers.sort_by_key(|it| it.name);
        self.jobs.sort_by_key(|it| it.name);
        self.flows.sort_by_key(|it| it.name());
        self.hooks.sort_by_key(|it| it.name);
        self.flags.sort_by_key(|it| it.name);
        self.provider_kinds.sort_by_key(|it| (it.name, it.at));
        self.providers.sort_by_key(|it| (it.kind, it.id, it.at));

        let mut relations: Vec<Relation> = Vec::new();
        for module in &self.modules {
            module.services.iter().for_each(|it| self.graph.add_table(it.table(), it.visibility()));
            relations.extend(module.relations);
        }
        for link in &self.links {
            self.graph.add_entity(link::entity_of(link));
            relations.extend(link::relations_of(link));
        }
        relations.extend(self.field_links.iter().flat_map(|it| field_relations(it)));
        pair_up(&mut relations);
        relations.iter().for_each(|it| self.graph.add_relation(*it));
        self.computed.iter().for_each(|it| self.graph.add_computed(it));
        self.cleared = reference::cleared(&relations);
        self.followed = Followed::of(&self);
        let problems = self.problems(&relations);
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// The names of all key spaces, in a fixed order.
    pub fn spaces(&self) -> Vec<Space> {
        let mut spaces = vec![FORMAT];
        spaces.extend(self.slots().map(|it| it.space));
        spaces.extend(self.tables().flat_map(|it| it.spaces()));
        spaces.extend(self.links.iter().flat_map(|link| [link.name, link.reverse, link.deleted]));
        spaces.extend(self.projections.iter().flat_map(|it| it.spaces));
        spaces.sort_unstable();
        spaces
    }

    /// The routes of all features that are switched on.
    pub fn routes_with(&self, flags: &Flags) -> Vec<&'static Route> {
        let is_off = |name: &str| {
            let flag = self.flags.iter().find(|it| it.name == name);
            flag.is_some_and(|it| !flags.is_on(it))
        };
        self.routes.iter().copied().filter(|it| !it.flag.is_some_and(is_off)).collect()
    }

    /// The spaces beside the tables.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SpaceDef> {
        let own = [EVENTS.def(), SpaceDef::keys(SEQUENCES), SpaceDef::keys(CLEARED_REFERENCES)];
        own.into_iter().chain(self.modules.iter().flat_map(|it| it.spaces).copied())
    }

    /// The tables of all modules.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &'static dyn TableSource> {
        self.modules.iter().flat_map(|it| it.services).map(|it| it.table())
    }

    /// Writes the records that modules need. `providers` are those that serve.
    pub fn seed(&self, tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
        self.modules.iter().filter_map(|module| module.seed).try_for_each(|seed| seed(tx, at, providers))
    }

    /// The service of an entity, by name.
    ///
    /// # Panics
    /// When no module has it, which is checked at every start.
    pub(crate) fn service(entity: &str) -> &'static dyn AnyService {
        let all = Self::get().modules.iter().flat_map(|module| module.services);
        *all.into_iter()
            .find(|it| it.table().def().name == entity)
            .unwrap_or_else(|| panic!("no module has `{entity}`"))
    }

    /// The hooks of a flow at a point, in the order of their names.
    pub(crate) fn hooks_at<'a>(
        &'a self,
        flow: &'a str,
        point: &'a str,
    ) -> impl Iterator<Item = &'static Hook> + 'a {
        self.hooks.iter().copied().filter(move |it| it.joins(flow, point))
    }

    /// True if a hook joins this flow at this point.
    pub fn has_hook(&self, flow: &str, point: &str) -> bool {
        self.hooks_at(flow, point).next().is_some()
    }

    fn problems(&self, relations: &[Relation]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |text: String| problems.push(Problem(text));
        let mut unique = |what: &str, names: Vec<String>| {
            let mut seen = BTreeMap::<String, usize>::new();
            names.into_iter().for_each(|name| *seen.entry(name).or_default() += 1);
            seen.into_iter()
                .filter(|(_, n)| *n > 1)
                .for_each(|(name, n)| say(format!("{what} `{name}` is registered {n} times")));
        };
        let tables: Vec<_> = self.tables().collect();
        let texts = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<String>>();
        unique("module", texts(self.modules.iter().map(|it| it.name).collect()));
        unique("entity", texts(tables.iter().map(|it| it.def().name).collect()));
        let prefixes = tables.iter().map(|it| it.def().prefix).chain(self.links.iter().map(|it| it.prefix));
        unique("id prefix", texts(prefixes.filter(|it| !it.is_empty()).collect()));
        unique("key space", texts(self.spaces()));
        unique("link", texts(self.links.iter().map(|it| it.name).collect()));
        unique("projection", texts(self.projections.iter().map(|it| it.name).collect()));
        unique("route", self.routes.iter().map(|it| format!("{} {}", it.method, it.path)).collect());
        unique("subscriber", texts(self.subscribers.iter().map(|it| it.name).collect()));
        unique("flow", texts(self.flows.iter().map(|it| it.name()).collect()));
        unique("hook", texts(self.hooks.iter().map(|it| it.name).collect()));
        unique("feature flag", texts(self.flags.iter().map(|it| it.name).collect()));
        unique("check", texts(self.checks.iter().map(|it| it.name).collect()));
        unique("job", texts(self.jobs.iter().map(|it| it.name).collect()));
        unique("relation", relations.iter().map(|it| format!("{}.{}", it.from, it.name)).collect());
        unique(
            "computed field",
            self.computed.iter().map(|it| format!("{}.{}", it.entity, it.name)).collect(),
        );
        self.provider_problems().into_iter().for_each(&mut say);

        for link in &self.links {
            for end in [&link.left, &link.right] {
                if !self.graph.has_table(end.entity) {
                    say(format!("link `{}` names `{}`, which no module has", link.name, end.entity));
                }
            }
        }
        for relation in relations {
            self.check_relation(relation, &mut say);
        }
        for it in &self.computed {
            if self.graph.entity(it.entity).is_none() {
                say(format!("computed field `{}.{}` is on an entity that no module has", it.entity, it.name));
            }
        }
        let format = self.format();
        for (key, fields) in &format.fields {
            for field in leads_to(fields.history).filter(|it| !fields.kinds.contains_key(it)) {
                say(format!("the history of `{key}` leads to `{field}`, which it does not have"));
            }
        }
        for projection in &self.projections {
            for of in projection.follows {
                if self.graph.entity(of).is_none() {
                    let why = match self.left_out.module_of(of) {
                        Some(module) => format!("of the module `{module}`, which is switched off"),
                        None => "which is no entity and no link".to_owned(),
                    };
                    say(format!("projection `{}` follows `{of}`, {why}", projection.name));
                }
            }
        }
        for route in &self.routes {
            if route.text.trim().is_empty() {
                say(format!("route `{} {}` has no doc comment", route.method, route.path));
            }
            if !route.path.starts_with('/') || (route.path.len() > 1 && route.path.ends_with('/')) {
                say(format!(
                    "route `{} {}` does not begin with a slash, or ends with one",
                    route.method, route.path
                ));
            }
        }
        visibility::problems(self, &mut say);
        for resource in &self.resources {
            for path in unknown_paths(self, resource) {
                say(format!("`{}` shows `{path}`, which nothing has", resource.many));
            }
        }
        for hook in &self.hooks {
            let is_external = matches!(hook.run, HookRun::External { .. });
            let is_at = |flow: &&dyn AnyFlow, points: &[&str]| {
                points.iter().any(|point| hook.joins(flow.name(), point))
            };
            let takes_it =
                |it: &&dyn AnyFlow| is_at(it, it.external_hooks()) || !is_external && is_at(it, it.hooks());
            if !self.flows.iter().any(takes_it) {
                let what = if is_external { "calls to the outside" } else { "hooks" };
                say(format!("hook `{}` joins `{}`, where no flow takes {what}", hook.name, hook.point));
            }
        }
        for (route, flag) in self.routes.iter().filter_map(|it| Some((it, it.flag?))) {
            if !self.flags.iter().any(|it| it.name == flag) {
                say(format!(
                    "route `{} {}` depends on `{flag}`, which is no feature flag",
                    route.method, route.path
                ));
            }
        }
        for job in &self.jobs {
            if let Err(error) = job.schedule.plan() {
                say(format!("job `{}` has a schedule that cannot be read: {error}", job.name));
            }
        }
        problems.sort();
        problems
    }

    fn check_relation(&self, relation: &Relation, say: &mut impl FnMut(String)) {
        let name = format!("relation `{}.{}`", relation.from, relation.name);
        let Some(from) = self.graph.entity(relation.from) else {
            return say(format!("{name} starts from an entity that no module has"));
        };
        let Some(to) = self.graph.entity(relation.to) else {
            return say(format!("{name} leads to `{}`, which no module has", relation.to));
        };
        match relation.resolve {
            Resolve::Field(field) if !from.fields.contains(&field) => {
                say(format!("{name} uses the field `{field}`, which `{}` does not have", from.name));
            }
            Resolve::Field(_) | Resolve::Back(_) if !self.graph.has_table(to.name) => {
                say(format!("{name} leads to `{}`, which has no table", to.name));
            }
            Resolve::Field(field)
                if relation.on_delete == OnDelete::Clear && !self.graph.table(from.name).has_index(field) =>
            {
                say(format!("{name} is cleared, and needs an index on `{}.{field}`", from.name));
            }
            Resolve::Back(field) if !self.graph.table(to.name).has_index(field) => {
                say(format!("{name} needs an index on `{}.{field}`", to.name));
            }
            _ => {}
        }
    }
}

/// Names the way back of each relation through a field, where there is one.
fn pair_up(relations: &mut [Relation]) {
    let all = relations.to_vec();
    for relation in relations {
        let is_back = |it: &&Relation| {
            let is_reversed = match (relation.resolve, it.resolve) {
                (Resolve::Field(one), Resolve::Back(other)) | (Resolve::Back(one), Resolve::Field(other)) => {
                    one == other
                }
                _ => false,
            };
            is_reversed && (it.from, it.to) == (relation.to, relation.from)
        };
        relation.back = relation.back.or_else(|| all.iter().find(is_back).map(|it| it.name));
    }
}

pub(crate) fn field_relations(link: &FieldLink) -> Vec<Relation> {
    let there = Relation {
        many: link.many,
        absent_if_none: true,
        on_delete: link.on_delete,
        reveals: link.reveals,
        ..Relation::one(link.from, link.relation, link.to, Resolve::Field(link.field))
    };
    let back = link.back.map(|name| Relation {
        absent_if_none: true,
        ..Relation::many(link.to, name, link.from, Resolve::Back(link.field))
    });
    [Some(there), back].into_iter().flatten().collect()
}
