//! Reverse evaluation of filters: an index or a link names the records that match a filter, so that a list
//! scans these instead of the whole table.

use std::collections::BTreeSet;

use atoll_storage::{EntityDef, Scalar, StoreError, TableSource};
use atoll_values::Filter;

use crate::{
    Env, Ids, QueryError, Relation, Resolve, Where,
    ids::{IdSet, read, united},
};

/// Ids that an intermediate step of a path may yield. Beyond that, the reverse look-ups cost more than they
/// save.
const N_INTERMEDIATE_MAX: u64 = 1000;

/// What an index or a link names by a filter. Walls are not asked.
pub(crate) struct Narrowed<'g> {
    /// The ids that match; `None` if only the targets are known.
    pub(crate) ids: Option<Box<dyn Ids>>,
    /// Where the path begins with a relation: its targets that match.
    pub(crate) targets: Option<(&'g Relation, Vec<String>)>,
}

impl From<Box<dyn Ids>> for Narrowed<'_> {
    fn from(ids: Box<dyn Ids>) -> Self {
        Narrowed { ids: Some(ids), targets: None }
    }
}

/// The records of `entity` that match the filter, or `None` if no index or link can tell.
pub(crate) fn narrow<'g>(
    env: &Env<'g>,
    entity: &EntityDef,
    filter: &Filter,
) -> Result<Option<Narrowed<'g>>, QueryError> {
    match filter.texts() {
        Some((path, values)) => records_where(env, entity, path, &values),
        None => Ok(None),
    }
}

fn records_where<'g>(
    env: &Env<'g>,
    entity: &EntityDef,
    path: &[&str],
    values: &[&str],
) -> Result<Option<Narrowed<'g>>, QueryError> {
    let [first, rest @ ..] = path else { return Ok(None) };
    if !env.graph.has_table(entity.name) {
        return Ok(None);
    }
    let table = env.graph.table(entity.name);
    if rest.is_empty() {
        let found = match *first == entity.key {
            true => existing(env, table, values.iter().map(|it| (*it).to_owned()))?,
            false => rows_where(env, table, first, values)?,
        };
        return Ok(found.map(Narrowed::from));
    }
    let Some(relation) = env.graph.relation(entity.name, first) else { return Ok(None) };
    if let Resolve::Embedded = relation.resolve {
        return Ok(rows_where(env, table, &path.join("."), values)?.map(Narrowed::from));
    }
    let to = env.graph.entity(relation.to).expect("the registry checks where relations lead");
    let targets = records_where(env, to, rest, values)?.and_then(|it| it.ids);
    let Some(targets) = targets else { return Ok(None) };
    if targets.at_most(env.view)? > N_INTERMEDIATE_MAX {
        return Ok(None);
    }
    let targets = read(env.view, &*targets)?;
    let ids = reversed(env, relation, &targets)?;
    Ok(Some(Narrowed { ids, targets: Some((relation, targets)) }))
}

/// Those of the targets of a relation that the caller may see.
pub(crate) fn shown(
    env: &Env<'_>,
    relation: &Relation,
    targets: &[String],
) -> Result<Vec<String>, StoreError> {
    let table = env.graph.table(relation.to);
    let mut shown = Vec::new();
    for id in targets {
        if let Some(node) = table.node(env.view, id)?
            && env.shows_target(relation, &node)?
        {
            shown.push(id.clone());
        }
    }
    Ok(shown)
}

/// Follows a relation backwards: the records that point to one of these targets.
pub(crate) fn reversed(
    env: &Env<'_>,
    relation: &Relation,
    targets: &[String],
) -> Result<Option<Box<dyn Ids>>, QueryError> {
    let from = env.graph.table(relation.from);
    match relation.resolve {
        Resolve::Embedded => Ok(None),
        Resolve::Field(field) => rows_where(env, from, field, &refs(targets)),
        Resolve::Back(field) => {
            let table = env.graph.table(relation.to);
            let mut holders = BTreeSet::new();
            for id in targets {
                let Some(target) = table.node(env.view, id)? else { continue };
                match target.scalar(field) {
                    Scalar::Text(holder) => drop(holders.insert(holder.to_owned())),
                    Scalar::List(ids) => holders.extend(ids.into_iter().map(str::to_owned)),
                    _ => {}
                }
            }
            existing(env, from, holders.into_iter())
        }
        Resolve::With(with) => {
            let sets: Option<Vec<_>> = targets.iter().map(|id| with.back(id)).collect();
            Ok(sets.map(|it| united(env.view, it)).transpose()?)
        }
    }
}

/// The given ids that have a live row.
fn existing(
    env: &Env<'_>,
    table: &dyn TableSource,
    ids: impl Iterator<Item = String>,
) -> Result<Option<Box<dyn Ids>>, QueryError> {
    let mut found = BTreeSet::new();
    for id in ids {
        if table.has(env.view, &id)? {
            found.insert(id);
        }
    }
    Ok(Some(Box::new(IdSet(found))))
}

/// The rows with one of these values in the field; `None` if the field has no index.
fn rows_where(
    env: &Env<'_>,
    table: &'static dyn TableSource,
    field: &str,
    values: &[&str],
) -> Result<Option<Box<dyn Ids>>, QueryError> {
    let Some(field) = table.indexed(field) else { return Ok(None) };
    let of = |value: &&str| Box::new(Where { table, field, value: (*value).to_owned() }) as Box<dyn Ids>;
    Ok(Some(united(env.view, values.iter().map(of).collect())?))
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
