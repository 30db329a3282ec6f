//! The registry: everything that crates have registered at link time, checked once at the start.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ptr,
    sync::OnceLock,
};

pub use crate::flag::{FeatureFlag, Flags};
pub use crate::problem::{Problem, nearest};
pub use crate::provider::{ProviderChoice, ProviderEntry, ProviderKind, ProviderKindEntry, Providers};
pub use crate::settings::{
    ModuleSettings, Secret, SettingDef, SettingType, Settings, SettingsDef, Texts, Values, linked_settings,
    out_of_range, read_setting, unquoted,
};
#[doc(hidden)]
pub use crate::{
    linked::Linked,
    manifest::Manifest,
    optional::{LeftOut, PartOf, Place, address},
};
use atoll_storage::{EVENTS, SEQUENCES};

use crate::{
    Moment, Write,
    change_event::Followed,
    ctx::Route,
    data::{RowError, Space, SpaceDef, TableSource},
    event::EventsEntry,
    extend::{Extended, RouteExtension},
    flow::{AnyHookPoint, Hook},
    http::Source,
    job::Job,
    led::Led,
    link::{self, FieldLink, Link},
    linked::Part,
    metric::Metric,
    middleware::Middleware,
    migration::FORMAT,
    module::{DroppedTable, Module},
    problem::problems,
    projection::Projection,
    query::{Computed, Graph, Relation, Resolve},
    reference::{self, CLEARED_REFERENCES},
    resource::Resource,
    service::RecordWriter,
    shop_secret::SHOP_SECRETS,
    subscriber::Subscriber,
    verify::Check,
    worker::Worker,
    workflow::{AnyFlow, NamedFlow, Naming},
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
    /// The middleware, in the order in which it runs: the shortest path first, then by name.
    pub middleware: Vec<&'static Middleware>,
    /// The paths that the host that leads answers.
    pub led: Vec<&'static Led>,
    /// What modules add to routes of other crates, by path and method.
    pub extensions: Vec<&'static RouteExtension>,
    /// The resources that routes show, by entity and name.
    pub resources: Vec<&'static Resource>,
    /// The subscribers, by name.
    pub subscribers: Vec<&'static Subscriber>,
    /// The jobs, by name.
    pub jobs: Vec<&'static Job>,
    /// The workers, by name.
    pub workers: Vec<&'static Worker>,
    /// The metrics of modules, by name.
    pub metrics: Vec<&'static Metric>,
    /// The flows and sagas, by name.
    pub flows: Vec<&'static dyn AnyFlow>,
    /// The flows that can be run by their name.
    #[doc(hidden)]
    pub named_flows: BTreeMap<&'static str, &'static dyn NamedFlow>,
    /// The hooks, by name.
    pub hooks: Vec<&'static Hook>,
    /// The kinds of providers, by name.
    pub provider_kinds: Vec<&'static ProviderKindEntry>,
    /// The providers, by kind and id.
    pub providers: Vec<&'static ProviderEntry>,
    /// The feature flags, by name.
    pub flags: Vec<&'static FeatureFlag>,
    /// The settings of modules, by module.
    pub settings: Vec<&'static SettingsDef>,
    /// The computed fields, by entity and name.
    pub computed: Vec<&'static Computed>,
    /// The checks of `verify`, by name.
    pub checks: Vec<&'static Check>,
    /// The events that crates declare.
    pub events: Vec<&'static EventsEntry>,
    /// The graph of entities and relations.
    pub graph: Graph,
    /// The manifests of the packages that have modules.
    #[doc(hidden)]
    pub manifests: Vec<&'static Manifest>,
    /// Where the statics are registered, by their addresses.
    #[doc(hidden)]
    pub places: HashMap<usize, Source>,
    /// The relations whose field is cleared when their target is deleted, with that field.
    #[doc(hidden)]
    pub cleared: Vec<(Relation, &'static str)>,
    /// What the extensions of routes have changed.
    #[doc(hidden)]
    pub extended: Extended,
    /// Change events that have a subscriber.
    #[doc(hidden)]
    pub followed: Followed,
    /// The modules that are switched off, and what went with them.
    #[doc(hidden)]
    pub left_out: LeftOut,
}

/// Registers a computed field.
#[macro_export]
macro_rules! computed {
    ($(#[$meta:meta])* $vis:vis static $NAME:ident = $computed:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::query::Computed = $computed;

        const _: () = {
            $crate::register! { in COMPUTED, $crate::query::Computed: &$NAME }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a computed field is written\n\
             \x20   /// What it is.\n\
             \x20   pub static NAME = Computed { entity: \"product\", name: \"in_stock\", … };"
        );
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
            return Err(vec![Problem::of_no_place(format!(
                "the modules of a process are chosen once: it runs without {:?}, and cannot run without {off:?}",
                chosen.off
            ))]);
        }
        chosen.registry.as_ref().map_err(Clone::clone)
    }

    fn chosen(off: &BTreeSet<String>) -> &'static Chosen {
        let build = || {
            let mut parts = Registry {
                modules: Part::linked(),
                links: Part::linked(),
                field_links: Part::linked(),
                projections: Part::linked(),
                computed: Part::linked(),
                checks: Part::linked(),
                settings: linked_settings(),
                manifests: Part::linked(),
                routes: Part::linked(),
                middleware: Part::linked(),
                led: Part::linked(),
                extensions: Part::linked(),
                resources: Part::linked(),
                subscribers: Part::linked(),
                flows: Part::linked(),
                named_flows: Naming::linked()
                    .into_iter()
                    .filter_map(|it| Some((it.name, (it.named)()?)))
                    .collect(),
                flags: Part::linked(),
                hooks: Part::linked(),
                provider_kinds: inventory::iter::<ProviderKindEntry>.into_iter().collect(),
                providers: inventory::iter::<ProviderEntry>.into_iter().collect(),
                events: inventory::iter::<EventsEntry>.into_iter().collect(),
                places: places(),
                jobs: Part::linked(),
                workers: Part::linked(),
                metrics: Part::linked(),
                ..Registry::default()
            };
            parts.modules.sort_by_key(|it| it.name);
            let problems = parts.leave_out(off);
            let registry = if problems.is_empty() { parts.build() } else { Err(problems) };
            Chosen { off: off.clone(), registry }
        };
        REGISTRY.get_or_init(build)
    }

    /// The registry, if it is built already: what is called while it is built must not wait for it.
    pub(crate) fn built() -> Option<&'static Registry> {
        REGISTRY.get()?.registry.as_ref().ok()
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
        self.led.sort_by_key(|it| it.path.prefix);
        self.middleware.sort_by_key(|it| (it.prefix.len(), it.name));
        self.extensions.sort_by_key(|it| (it.path, it.method, it.source.file, it.source.line));
        self.resources.sort_by_key(|it| (it.entity, it.one, ptr::from_ref(*it).addr()));
        // Several tables of routes may have the same resource.
        self.resources.dedup_by_key(|it| ptr::from_ref(*it).addr());
        self.subscribers.sort_by_key(|it| it.name);
        self.jobs.sort_by_key(|it| it.name);
        self.workers.sort_by_key(|it| it.name);
        self.metrics.sort_by_key(|it| it.name);
        self.flows.sort_by_key(|it| it.name());
        self.hooks.sort_by_key(|it| it.name);
        self.flags.sort_by_key(|it| it.name);
        self.settings.sort_by_key(|it| it.module);
        self.provider_kinds.sort_by_key(|it| (it.name, it.source));
        self.providers.sort_by_key(|it| (it.kind, it.id, it.source));

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
        self.projections.iter().filter_map(|it| it.list_index).for_each(|it| self.graph.add_list_index(it));
        self.cleared = reference::cleared(&relations);
        self.followed = Followed::of(&self);
        let unfit = self.extend_routes();
        let mut problems = problems(&self, &relations);
        problems.extend(unfit);
        problems.sort();
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// Where a static is registered; none if no macro did it.
    pub(crate) fn source_of<T: ?Sized>(&self, it: &'static T) -> Option<Source> {
        self.places.get(&address(it)).copied()
    }

    /// The names of all key spaces, in a fixed order.
    pub fn spaces(&self) -> Vec<Space> {
        let mut spaces = vec![FORMAT];
        spaces.extend(self.slots().map(|it| it.space));
        spaces.extend(self.tables().flat_map(|it| it.spaces()));
        spaces.extend(self.dropped().flat_map(DroppedTable::spaces));
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
        let own = [EVENTS.def(), SpaceDef::keys(SEQUENCES), SpaceDef::keys(CLEARED_REFERENCES), SHOP_SECRETS];
        own.into_iter().chain(self.modules.iter().flat_map(|it| it.spaces).copied())
    }

    /// The tables of all modules.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &'static dyn TableSource> {
        self.modules.iter().flat_map(|it| it.services).map(|it| it.table())
    }

    /// The tables of earlier versions that modules have dropped.
    pub(crate) fn dropped(&self) -> impl Iterator<Item = &'static DroppedTable> {
        self.modules.iter().flat_map(|it| it.dropped)
    }

    /// Writes the records that modules need. `providers` are those that serve.
    pub fn seed(&self, tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
        self.modules.iter().filter_map(|module| module.seed).try_for_each(|seed| seed(tx, at, providers))
    }

    /// The service of an entity, by name.
    ///
    /// # Panics
    /// When no module has it, which is checked at every start.
    pub(crate) fn service(entity: &str) -> &'static dyn RecordWriter {
        let all = Self::get().modules.iter().flat_map(|module| module.services);
        all.into_iter()
            .find(|it| it.table().def().name == entity)
            .unwrap_or_else(|| panic!("no module has `{entity}`"))
            .erased()
    }

    /// The hooks of a flow at a point, in the order of their names.
    pub(crate) fn hooks_at<'a>(
        &'a self,
        flow: &'a str,
        point: &'a dyn AnyHookPoint,
    ) -> impl Iterator<Item = &'static Hook> + 'a {
        self.hooks.iter().copied().filter(move |it| it.joins(flow, point))
    }

    /// True if a hook joins this flow at this point.
    pub fn has_hook(&self, flow: &str, point: &dyn AnyHookPoint) -> bool {
        self.hooks_at(flow, point).next().is_some()
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

/// Where each static is registered: at the first of its places, since several tables of routes may have the
/// same resource.
fn places() -> HashMap<usize, Source> {
    let mut places = HashMap::new();
    for place in inventory::iter::<Place> {
        let first = places.entry((place.part)()).or_insert(place.source);
        *first = place.source.min(*first);
    }
    places
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
