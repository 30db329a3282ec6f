//! Lists: candidates from the narrowest source, filters on what is left, one page, an exact count.

use std::cmp::Ordering;

use atoll_storage::{EntityDef, Node, Order, Scalar, Scan};
use atoll_values::{Decimal, Timestamp};

use crate::{Env, Filter, Ids, QueryError, filter::search, graph::Loaded, ids::Given, narrow::narrow};

/// Records whose filters are evaluated together: large enough that a relation's batched call pays, small enough
/// that a page near the beginning reads little behind it.
const N_TOGETHER: usize = 128;

/// Relations on the way to a field to sort by.
const N_SORT_RELATIONS_MAX: usize = 3;

/// A field to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortBy {
    /// Relations to one record each, then a field.
    pub path: Vec<String>,
    /// In which direction.
    pub order: Order,
}

impl SortBy {
    /// Reads the wire's `field` or `-field`.
    pub fn parse(text: &str) -> SortBy {
        let (path, order) = match text.strip_prefix('-') {
            Some(path) => (path, Order::Descending),
            None => (text, Order::Ascending),
        };
        SortBy { path: path.split('.').map(str::to_owned).collect(), order }
    }
}

/// What a list is asked for.
#[derive(Default)]
pub struct ListQuery {
    /// Conditions that must all hold.
    pub filters: Vec<Filter>,
    /// Only records with these ids: what the caller may see, or a link that was filtered by.
    pub within: Vec<Box<dyn Ids>>,
    /// Words that must all occur in the searched fields.
    pub q: Option<String>,
    /// The order; by id where there is none.
    pub sort: Option<SortBy>,
    /// Records to leave out at the beginning.
    pub offset: usize,
    /// Records to show.
    pub limit: usize,
    /// Show soft-deleted records too?
    pub with_deleted: bool,
}

/// One page of a list.
pub struct Page {
    /// The records.
    pub nodes: Vec<Node>,
    /// How many there are on all pages.
    pub count: u64,
}

/// Where the candidates of a list come from.
enum Source {
    Table,
    Given(Given),
    Within(Box<dyn Ids>),
}

/// What a source comes from: a set of the query, or one of its filters, which names these records.
enum Origin {
    Set(usize),
    Filter(usize, Box<dyn Ids>),
}

/// Reads one page of `entity`. When a source answers all of the query and the order is that of the ids, the
/// cost is that of the page; otherwise every candidate of the source is read.
pub fn list(env: &Env<'_>, entity: &'static EntityDef, query: ListQuery) -> Result<Page, QueryError> {
    let ListQuery { mut filters, mut within, q, sort, offset, limit, with_deleted } = query;
    let q = q.filter(|q| !q.trim().is_empty());
    if let Some(sort) = &sort {
        check_sort(env, entity, sort)?;
    }
    filters = filters.into_iter().flat_map(Filter::parts).collect();
    let source = choose_source(env, entity, &mut filters, &mut within, with_deleted)?;
    let id_order = match &sort {
        None => Some(Order::Ascending),
        Some(sort) if sort.path == [entity.key] && entity.key == "id" => Some(sort.order),
        Some(_) => None,
    };
    let mut candidates = Candidates {
        env,
        entity,
        filters,
        within,
        q,
        loaded: Loaded::new(env.view, env.graph.table(entity.name)),
    };
    if let (true, Some(order)) = (candidates.asks_nothing() && !with_deleted, id_order) {
        return candidates.page(&source, order, offset, limit);
    }
    let mut found = Vec::new();
    candidates.all(&source, id_order.unwrap_or_default(), with_deleted, &mut found)?;
    let count = found.len() as u64;
    if let (Some(sort), None) = (&sort, id_order) {
        found = sorted(env, entity, found, sort)?;
    }
    let nodes = found.into_iter().skip(offset).take(limit).collect();
    Ok(Page { nodes, count })
}

/// The narrowest of the sources that the query names; what the others say is asked of each candidate.
fn choose_source(
    env: &Env<'_>,
    entity: &EntityDef,
    filters: &mut Vec<Filter>,
    within: &mut Vec<Box<dyn Ids>>,
    with_deleted: bool,
) -> Result<Source, QueryError> {
    if let Some(place) = filters.iter().position(|filter| filter.texts_of("id").is_some()) {
        let filter = filters.swap_remove(place);
        let ids = filter.texts_of("id").unwrap_or_default().into_iter().map(str::to_owned);
        return Ok(Source::Given(Given(ids.collect())));
    }
    let mut narrowest: Option<(u64, Origin)> = None;
    let mut propose = |size, origin| {
        if narrowest.as_ref().is_none_or(|(least, _)| size < *least) {
            narrowest = Some((size, origin));
        }
    };
    for (place, ids) in within.iter().enumerate() {
        propose(ids.at_most(env.view)?, Origin::Set(place));
    }
    // Indexes and links hold live records only.
    for (place, filter) in filters.iter().enumerate().filter(|_| !with_deleted) {
        if let Some(ids) = narrow(env, entity, filter)? {
            propose(ids.at_most(env.view)?, Origin::Filter(place, ids));
        }
    }
    Ok(match narrowest {
        None => Source::Table,
        Some((_, Origin::Set(place))) => Source::Within(within.swap_remove(place)),
        Some((_, Origin::Filter(place, ids))) => {
            // What a relation leads to must also be on this side of the wall.
            if env.context.wall().is_none() || !filters[place].has_relation() {
                filters.swap_remove(place);
            }
            Source::Within(ids)
        }
    })
}

/// What is left to ask of each candidate.
struct Candidates<'a> {
    env: &'a Env<'a>,
    entity: &'static EntityDef,
    filters: Vec<Filter>,
    within: Vec<Box<dyn Ids>>,
    q: Option<String>,
    loaded: Loaded<'a>,
}

impl Candidates<'_> {
    fn asks_nothing(&self) -> bool {
        self.filters.is_empty() && self.within.is_empty() && self.q.is_none()
    }

    /// A page of a source that answers the whole query: steps over ids, and loads only what it shows.
    fn page(
        &mut self,
        source: &Source,
        order: Order,
        offset: usize,
        limit: usize,
    ) -> Result<Page, QueryError> {
        let (view, table) = (self.env.view, self.env.graph.table(self.entity.name));
        let mut nodes = Vec::with_capacity(limit.min(1000));
        if let Source::Given(ids) = source {
            // Unknown ids do not count, so all of them are looked up.
            let mut known = Vec::new();
            for id in &ids.0 {
                known.extend(self.loaded.get(id)?);
            }
            let count = known.len() as u64;
            if order == Order::Descending {
                known.reverse();
            }
            return Ok(Page { nodes: known.into_iter().skip(offset).take(limit).collect(), count });
        }
        let mut place = 0;
        let mut step = |id: &str| {
            if place >= offset + limit {
                return Ok(Scan::Break(()));
            }
            if place >= offset {
                nodes.extend(self.loaded.get(id)?);
            }
            place += 1;
            Ok(Scan::Continue(()))
        };
        let count = match source {
            Source::Within(ids) => {
                ids.scan(view, order, &mut step)?;
                ids.count(view)?
            }
            Source::Table | Source::Given(_) => {
                table.nodes(view, order, &mut |node| {
                    if place >= offset + limit {
                        return Ok(Scan::Break(()));
                    }
                    if place >= offset {
                        nodes.push(node);
                    }
                    place += 1;
                    Ok(Scan::Continue(()))
                })?;
                table.n_rows(view)?
            }
        };
        Ok(Page { nodes, count })
    }

    /// Every record of the source for which the whole query holds.
    fn all(
        &mut self,
        source: &Source,
        order: Order,
        with_deleted: bool,
        found: &mut Vec<Node>,
    ) -> Result<(), QueryError> {
        let (view, table) = (self.env.view, self.env.graph.table(self.entity.name));
        let mut candidates = Vec::new();
        if let Source::Table = source {
            table.nodes(view, order, &mut |node| {
                candidates.push(node);
                Ok(Scan::Continue(()))
            })?;
        } else {
            let mut load = |id: &str| {
                candidates.extend(self.loaded.get(id)?);
                Ok(Scan::Continue(()))
            };
            match source {
                Source::Given(ids) => ids.scan(view, order, &mut load)?,
                Source::Within(ids) => ids.scan(view, order, &mut load)?,
                Source::Table => {}
            }
        }
        if with_deleted {
            self.add_deleted(source, &mut candidates)?;
            candidates.sort_by(|a, b| a.key().cmp(b.key()));
            if order == Order::Descending {
                candidates.reverse();
            }
        }
        for together in candidates.chunks(N_TOGETHER) {
            let keep = self.keep(together)?;
            found.extend(together.iter().zip(keep).filter(|(_, keep)| *keep).map(|(node, _)| node.clone()));
        }
        Ok(())
    }

    fn add_deleted(&self, source: &Source, candidates: &mut Vec<Node>) -> Result<(), QueryError> {
        let given = match source {
            Source::Given(ids) => Some(&ids.0),
            Source::Table => None,
            // Links and indexes hold live records only.
            Source::Within(_) => return Ok(()),
        };
        self.env.graph.table(self.entity.name).deleted_nodes(self.env.view, &mut |node| {
            if given.as_ref().is_none_or(|ids| ids.contains(node.key())) {
                candidates.push(node);
            }
            Ok(Scan::Continue(()))
        })?;
        Ok(())
    }

    fn keep(&self, nodes: &[Node]) -> Result<Vec<bool>, QueryError> {
        let mut keep = vec![true; nodes.len()];
        for ids in &self.within {
            for (keep, node) in keep.iter_mut().zip(nodes) {
                *keep = *keep && ids.contains(self.env.view, node.key())?;
            }
        }
        for filter in &self.filters {
            let holds = filter.matches(self.env, self.entity, nodes)?;
            keep.iter_mut().zip(holds).for_each(|(keep, holds)| *keep &= holds);
        }
        if let Some(q) = &self.q {
            let holds = search(self.env, self.entity, nodes, q)?;
            keep.iter_mut().zip(holds).for_each(|(keep, holds)| *keep &= holds);
        }
        Ok(keep)
    }
}

/// The value to sort by. Records without one come last, as in the database of the original.
#[derive(PartialEq, PartialOrd)]
enum SortKey {
    Bool(bool),
    Number(Decimal),
    Time(Timestamp),
    Text(String),
    Null,
}

impl SortKey {
    fn of(scalar: &Scalar<'_>) -> SortKey {
        match scalar {
            Scalar::Bool(it) => SortKey::Bool(*it),
            Scalar::Number(it) => SortKey::Number(*it),
            Scalar::Time(it) => SortKey::Time(*it),
            Scalar::Text(it) => SortKey::Text((*it).to_owned()),
            Scalar::Null | Scalar::List(_) => SortKey::Null,
        }
    }
}

fn check_sort(env: &Env<'_>, entity: &'static EntityDef, sort: &SortBy) -> Result<(), QueryError> {
    let invalid = || QueryError::Order(sort.path.join("."));
    let mut entity = entity;
    let (field, relations) = sort.path.split_last().ok_or_else(invalid)?;
    if relations.len() > N_SORT_RELATIONS_MAX {
        return Err(invalid());
    }
    for segment in relations {
        let relation = env.graph.relation(entity.name, segment).ok_or_else(invalid)?;
        entity = env.graph.entity(relation.to).ok_or_else(invalid)?;
    }
    let known = entity.fields.contains(&field.as_str()) && !entity.hidden.contains(&field.as_str());
    if known { Ok(()) } else { Err(invalid()) }
}

fn sorted(
    env: &Env<'_>,
    entity: &'static EntityDef,
    nodes: Vec<Node>,
    sort: &SortBy,
) -> Result<Vec<Node>, QueryError> {
    let keys = sort_keys(env, entity, &nodes, &sort.path, sort.order)?;
    let mut keyed: Vec<(SortKey, Node)> = keys.into_iter().zip(nodes).collect();
    // The sort is stable, so that records with equal keys stay in the order of their ids.
    keyed.sort_by(|(a, _), (b, _)| {
        let ordering = a.partial_cmp(b).unwrap_or(Ordering::Equal);
        if sort.order == Order::Descending { ordering.reverse() } else { ordering }
    });
    Ok(keyed.into_iter().map(|(_, node)| node).collect())
}

fn sort_keys(
    env: &Env<'_>,
    entity: &'static EntityDef,
    nodes: &[Node],
    path: &[String],
    order: Order,
) -> Result<Vec<SortKey>, QueryError> {
    let [first, rest @ ..] = path else { return Ok(nodes.iter().map(|_| SortKey::Null).collect()) };
    if rest.is_empty() {
        return Ok(nodes.iter().map(|node| SortKey::of(&node.scalar(first))).collect());
    }
    let Some(relation) = env.graph.relation(entity.name, first) else {
        return Ok(nodes.iter().map(|_| SortKey::Null).collect());
    };
    let to = env.graph.entity(relation.to).expect("the registry checks where relations lead");
    let targets = relation.resolve(env, nodes)?;
    let sizes: Vec<usize> = targets.iter().map(Vec::len).collect();
    let flat: Vec<Node> = targets.into_iter().flatten().collect();
    let mut keys = sort_keys(env, to, &flat, rest, order)?.into_iter();
    // Of several the one counts that comes first: the least, or the greatest where the order descends.
    let first_of = |a: SortKey, b: SortKey| match (&a, &b) {
        (_, SortKey::Null) => a,
        (SortKey::Null, _) => b,
        _ if (a <= b) == (order == Order::Ascending) => a,
        _ => b,
    };
    Ok(sizes.into_iter().map(|n| keys.by_ref().take(n).reduce(first_of).unwrap_or(SortKey::Null)).collect())
}
