//! Optional modules: which module a registered part belongs to, and leaving modules out of the registry, with
//! everything that they bring.

use std::{collections::BTreeSet, ptr};

use crate::{
    Registry,
    data::EntityDef,
    http::Source,
    link::Link,
    module::Module,
    registry::{Problem, field_relations},
};

/// Where a part is registered: the macro that registers it submits this.
pub struct Place {
    /// The address of the part, which is a static.
    pub part: fn() -> usize,
    /// The path of the Rust module: `atoll_fulfillment`.
    pub path: &'static str,
    /// The macro that registers it, in the source text.
    pub source: Source,
}

inventory::collect!(Place);

/// That what a Rust module registers belongs to a module of Atoll, as `module!` and `part_of!` submit it.
pub struct PartOf {
    /// The name of the module.
    pub module: fn() -> &'static str,
    /// The path of the Rust module, which counts with all those in it.
    pub path: &'static str,
}

inventory::collect!(PartOf);

/// The address of a registered part.
pub fn address<T: ?Sized>(part: &T) -> usize {
    ptr::from_ref(part).cast::<()>().addr()
}

/// Notes where a part is registered.
#[doc(hidden)]
#[macro_export]
macro_rules! place {
    ($part:expr) => {
        $crate::inventory::submit! {
            $crate::registry::Place {
                part: || $crate::registry::address($part),
                path: module_path!(),
                source: $crate::source!(),
            }
        }
    };
}

/// Says that what this file and the files below it register belongs to an optional module of another crate:
/// it is left out together with that. A crate with a `module!` of its own needs it not.
///
/// ```
/// atoll_kernel::part_of! { "fulfillment" }
/// ```
#[macro_export]
macro_rules! part_of {
    ($module:literal) => {
        $crate::inventory::submit! {
            $crate::registry::PartOf { module: || $module, path: module_path!() }
        }
    };
}

/// What was left out of a registry.
#[derive(Default)]
pub struct LeftOut {
    /// The modules, by name.
    pub modules: Vec<&'static Module>,
    /// Their links, and the links of others to their records.
    pub(crate) links: Vec<&'static Link>,
    /// The relations and computed fields that other modules' entities have through them: entity and name.
    shown: BTreeSet<(&'static str, &'static str)>,
}

impl LeftOut {
    /// True if the link is left out: it has no pairs, and takes none.
    pub(crate) fn has_link(&self, link: &Link) -> bool {
        self.links.iter().any(|it| ptr::eq(*it, link))
    }

    /// True if this relation or computed field exists when all modules are on.
    pub(crate) fn would_show(&self, entity: &str, name: &str) -> bool {
        self.shown.contains(&(entity, name))
    }

    /// The module that has this entity, if it is left out.
    pub(crate) fn module_of(&self, entity: &str) -> Option<&'static str> {
        let has = |it: &&&Module| it.services.iter().any(|it| it.table().def().name == entity);
        self.modules.iter().find(has).map(|it| it.name)
    }
}

/// For each part, the module that it belongs to.
struct Owners {
    /// By path; the longest first.
    paths: Vec<(&'static str, &'static str)>,
    places: Vec<(usize, &'static str)>,
}

impl Owners {
    fn linked() -> Owners {
        let mut paths: Vec<_> =
            inventory::iter::<PartOf>.into_iter().map(|it| (it.path, (it.module)())).collect();
        paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        let mut places: Vec<_> =
            inventory::iter::<Place>.into_iter().map(|it| ((it.part)(), it.path)).collect();
        places.sort_unstable();
        Owners { paths, places }
    }

    /// The module of a part; `None`: it is of the core.
    fn of<T: ?Sized>(&self, part: &T) -> Option<&'static str> {
        let at = self.places.binary_search_by_key(&address(part), |(part, _)| *part).ok()?;
        let place = self.places[at].1;
        let holds =
            |path: &str| place.strip_prefix(path).is_some_and(|it| it.is_empty() || it.starts_with("::"));
        self.paths.iter().find(|(path, _)| holds(path)).map(|(_, module)| *module)
    }
}

impl Registry {
    /// Those of these parts, which another crate collects, whose module is not left out. `part_of` is the
    /// registered static.
    #[doc(hidden)]
    pub fn switched_on<T, P: ?Sized + 'static>(
        &self,
        parts: impl Iterator<Item = T>,
        part_of: impl Fn(&T) -> &'static P,
    ) -> Vec<T> {
        let owners = Owners::linked();
        let is_off = |module: &str| self.left_out.modules.iter().any(|it| it.name == module);
        parts.filter(|it| !owners.of(part_of(it)).is_some_and(is_off)).collect()
    }

    /// The names of the modules that may be left out.
    pub fn optional_modules(&self) -> impl Iterator<Item = &'static str> {
        let all = self.modules.iter().chain(&self.left_out.modules);
        all.filter(|it| it.is_optional).map(|it| it.name)
    }

    /// Leaves these modules out, with their entities, routes, flows, hooks, subscribers, jobs, workers,
    /// metrics, links, computed fields, projections, checks, providers and flags. Returns why one of them
    /// cannot be.
    pub(crate) fn leave_out(&mut self, off: &BTreeSet<String>) -> Vec<Problem> {
        if off.is_empty() {
            return Vec::new();
        }
        let mut problems = self.kept_by(off);
        let (gone, kept): (Vec<_>, Vec<_>) = self.modules.drain(..).partition(|it| off.contains(it.name));
        (self.modules, self.left_out.modules) = (kept, gone);

        let owners = Owners::linked();
        let owner_off = |owner: Option<&'static str>| owner.filter(|it| off.contains(*it));
        macro_rules! drop_parts {
            ($($parts:ident),+) => { $(self.$parts.retain(|it| owner_off(owners.of(*it)).is_none());)+ };
        }
        for hook in self.hooks.iter().filter(|it| owner_off(owners.of(**it)).is_none()) {
            let joined = self.flows.iter().filter(|flow| {
                let mut points = flow.hooks().iter().chain(flow.external_hooks());
                points.any(|it| hook.joins(flow.name(), *it))
            });
            let off: Vec<_> = joined.map(|flow| owner_off(owners.of(*flow))).collect();
            // A hook may join several flows: it needs one of them.
            if let Some(module) =
                off.iter().copied().collect::<Option<Vec<_>>>().and_then(|it| it.first().copied())
            {
                let (name, point) = (hook.name, &hook.at);
                problems.push(Problem::of_no_place(format!(
                    "hook `{name}` needs the module `{module}`, which is switched off: it joins `{point}`"
                )));
            }
        }
        drop_parts!(
            routes, middleware, extensions, flows, hooks, subscribers, jobs, workers, metrics, projections,
            checks, flags, settings
        );
        self.providers.retain(|it| owner_off(owners.of(it.provider)).is_none());
        self.leave_out_shown(&|computed| owner_off(owners.of(computed)).is_some());
        problems.sort();
        problems
    }

    /// Why these modules cannot be left out.
    fn kept_by(&self, off: &BTreeSet<String>) -> Vec<Problem> {
        let optional: Vec<String> = self.optional_modules().map(|it| format!("`{it}`")).collect();
        let optional = format!("optional modules are {}", optional.join(", "));
        let mut problems = Vec::new();
        for name in off {
            match self.modules.iter().find(|it| it.name == name) {
                None => problems.push(Problem::of_no_place(format!(
                    "there is no module `{name}` to switch off; {optional}"
                ))),
                Some(it) if !it.is_optional => problems.push(Problem::of_no_place(format!(
                    "the module `{name}` cannot be switched off, because the core needs it; {optional}"
                ))),
                Some(_) => {}
            }
        }
        for module in self.modules.iter().filter(|it| !off.contains(it.name)) {
            for needed in module.needs {
                let name = module.name;
                if off.contains(*needed) {
                    problems.push(Problem::of_no_place(format!(
                        "the module `{name}` needs the module `{needed}`, which is switched off"
                    )));
                } else if !self.modules.iter().any(|it| it.name == *needed) {
                    problems.push(Problem::of_no_place(format!(
                        "the module `{name}` needs the module `{needed}`, which is not linked in"
                    )));
                }
            }
        }
        problems
    }

    /// Leaves out the links, relations, computed fields and resources of entities that are gone.
    fn leave_out_shown(&mut self, is_off: &dyn Fn(&crate::query::Computed) -> bool) {
        let left_out = &mut self.left_out;
        let services = left_out.modules.iter().flat_map(|it| it.services);
        let mut gone: BTreeSet<&str> = BTreeSet::new();
        services.for_each(|it| with_embedded(it.table().def(), &mut gone));
        self.links.retain(|it| {
            let is_kept = !gone.contains(it.left.entity) && !gone.contains(it.right.entity);
            if !is_kept {
                left_out.links.push(it);
                for end in [&it.left, &it.right] {
                    let names = [Some(end.rows), end.others].into_iter().flatten();
                    left_out.shown.extend(names.map(|name| (end.entity, name)));
                }
            }
            is_kept
        });
        gone.extend(left_out.links.iter().map(|it| it.name));
        self.field_links.retain(|it| {
            let is_kept = !gone.contains(it.from) && !gone.contains(it.to);
            if !is_kept {
                left_out.shown.extend(field_relations(it).iter().map(|it| (it.from, it.name)));
            }
            is_kept
        });
        self.computed.retain(|it| {
            let is_kept = !gone.contains(it.entity) && !is_off(it);
            if !is_kept {
                left_out.shown.insert((it.entity, it.name));
            }
            is_kept
        });
        self.resources.retain(|it| !gone.contains(it.entity));
    }
}

/// The names of an entity and of those that are embedded in it, at any depth.
fn with_embedded(def: &'static EntityDef, names: &mut BTreeSet<&'static str>) {
    if names.insert(def.name) {
        def.embeds.iter().for_each(|it| with_embedded((it.entity)(), names));
    }
}
