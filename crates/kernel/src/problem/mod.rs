//! What is wrong with what is linked in: names that nothing has, names that two have, routes that match the
//! same paths. A problem names the places in the source text that it is about, and the nearest known name.

mod data;
mod http;
mod names;
mod processes;
mod visibility;

use std::fmt;

use crate::{Registry, data::EntityDef, http::Source, manifest, query::Relation};

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
    registry.setting_problems().into_iter().for_each(|(source, it)| report.say([source], it));
    manifest::problems(registry)
        .into_iter()
        .for_each(|(it, text)| report.say([registry.source_of(it)], text));
    report.check_entities();
    report.check_links();
    relations.iter().for_each(|it| report.check_relation(it));
    report.check_shadows();
    report.check_history();
    report.check_projections();
    registry.routes.iter().for_each(|it| report.check_route(it));
    report.check_paths();
    report.check_visibility();
    registry.resources.iter().for_each(|it| report.check_resource(it));
    report.check_middleware();
    report.check_led();
    report.check_hooks();
    report.check_subscribers();
    report.check_jobs();
    report.check_providers();
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
}
