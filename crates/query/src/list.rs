//! Lists: candidates from the narrowest source, filters on what is left, one page, an exact count.

use std::cmp::Ordering;

use atoll_storage::{Direction, EntityDef, Halt, Node, Scan, StoreError, TableSource};
use atoll_values::limits::RECORDS_AT_ONCE_MAX;

use crate::{
    Env, Filter, Ids, QueryError,
    chunk::Chunk,
    ids::IdSet,
    narrow::narrow,
    predicate::{Predicate, Search},
    sort_key::SortKey,
};

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
    pub order: Direction,
}

impl SortBy {
    /// Reads the wire's `field` or `-field`.
    pub fn parse(text: &str) -> SortBy {
        let (path, order) = match text.strip_prefix('-') {
            Some(path) => (path, Direction::Descending),
            None => (text, Direction::Ascending),
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
    IdSet(IdSet),
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
        None => Some(Direction::Ascending),
        Some(sort) if sort.path == [entity.key] && entity.key == "id" => Some(sort.order),
        Some(_) => None,
    };
    let candidates = Candidates {
        env,
        entity,
        predicates: filters.iter().map(Predicate::of).collect(),
        within,
        search: q.as_deref().map(Search::of),
    };
    let by_path = sort.filter(|_| id_order.is_none());
    let order = id_order.unwrap_or_default();
    if by_path.is_none() && !with_deleted {
        if candidates.asks_nothing() {
            return candidates.page(&source, order, offset, limit);
        }
        let mut page = Page { nodes: Vec::new(), count: 0 };
        candidates.all(&source, order, &mut |chunk, keep| {
            for (node, _) in chunk.nodes.iter().zip(keep).filter(|(_, keep)| **keep) {
                if page.count >= offset as u64 && page.nodes.len() < limit {
                    hold(&mut page.nodes, node.clone())?;
                }
                page.count += 1;
            }
            Ok(())
        })?;
        return Ok(page);
    }
    let (path, order) =
        by_path.map_or_else(|| (vec![entity.key.to_owned()], order), |it| (it.path, it.order));
    candidates.sorted_page(&source, with_deleted, &SortBy { path, order }, offset, limit)
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
        return Ok(Source::IdSet(IdSet(ids.collect())));
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
    predicates: Vec<Predicate>,
    within: Vec<Box<dyn Ids>>,
    search: Option<Search>,
}

/// Is shown the candidates that were looked at together, and which of them are kept.
type Look<'l> = dyn FnMut(&Chunk<'_>, &[bool]) -> Result<(), QueryError> + 'l;

impl<'a> Candidates<'a> {
    fn asks_nothing(&self) -> bool {
        self.predicates.is_empty() && self.within.is_empty() && self.search.is_none()
    }

    fn table(&self) -> &'static dyn TableSource {
        self.env.graph.table(self.entity.name)
    }

    /// A page of a source that answers the whole query: steps over ids, and loads only what it shows.
    fn page(
        &self,
        source: &Source,
        order: Direction,
        offset: usize,
        limit: usize,
    ) -> Result<Page, QueryError> {
        let (view, table) = (self.env.view, self.table());
        let mut nodes = Vec::with_capacity(limit.min(1000));
        if let Source::IdSet(ids) = source {
            // Unknown ids do not count, so all of them are looked up.
            let mut count = 0;
            ids.scan(view, order, &mut |id| {
                if let Some(node) = table.node(view, id)? {
                    if count >= offset && nodes.len() < limit {
                        hold(&mut nodes, node)?;
                    }
                    count += 1;
                }
                Ok(Scan::Continue(()))
            })?;
            return Ok(Page { nodes, count: count as u64 });
        }
        let mut place = 0;
        let mut step = |id: &str| {
            if place >= offset + limit {
                return Ok(Scan::Break(()));
            }
            if place >= offset
                && let Some(node) = table.node(view, id)?
            {
                hold(&mut nodes, node)?;
            }
            place += 1;
            Ok(Scan::Continue(()))
        };
        let count = match source {
            Source::Within(ids) => {
                ids.scan(view, order, &mut step)?;
                ids.count(view)?
            }
            Source::Table | Source::IdSet(_) => {
                table.nodes(view, order, &mut |node| {
                    if place >= offset + limit {
                        return Ok(Scan::Break(()));
                    }
                    if place >= offset {
                        hold(&mut nodes, node)?;
                    }
                    place += 1;
                    Ok(Scan::Continue(()))
                })?;
                table.n_rows(view)?
            }
        };
        Ok(Page { nodes, count })
    }

    /// Looks at every record of the source, some at a time: none is held for longer than that.
    fn all(&self, source: &Source, order: Direction, look: &mut Look<'_>) -> Result<(), QueryError> {
        let (view, table) = (self.env.view, self.table());
        let mut chunks =
            Chunks { candidates: self, nodes: Vec::with_capacity(N_TOGETHER), look, error: None };
        let mut load = |id: &str| match table.node(view, id)? {
            Some(node) => Ok(chunks.add(node)),
            None => Ok(Scan::Continue(())),
        };
        match source {
            Source::IdSet(ids) => ids.scan(view, order, &mut load)?,
            Source::Within(ids) => ids.scan(view, order, &mut load)?,
            Source::Table => table.nodes(view, order, &mut |node| Ok(chunks.add(node)))?,
        }
        chunks.end()
    }

    /// As `all`, for the soft-deleted records of the source.
    fn all_deleted(&self, source: &Source, look: &mut Look<'_>) -> Result<(), QueryError> {
        let given = match source {
            Source::IdSet(ids) => Some(&ids.0),
            Source::Table => None,
            // Links and indexes hold live records only.
            Source::Within(_) => return Ok(()),
        };
        let mut chunks =
            Chunks { candidates: self, nodes: Vec::with_capacity(N_TOGETHER), look, error: None };
        self.table().deleted_nodes(self.env.view, &mut |node| {
            let is_candidate = given.is_none_or(|ids| ids.contains(node.key()));
            Ok(if is_candidate { chunks.add(node) } else { Scan::Continue(()) })
        })?;
        chunks.end()
    }

    /// A page of all records of the source for which the query holds, in this order. Only their ids and what they are
    /// sorted by are held; those of the page are read once more.
    fn sorted_page(
        &self,
        source: &Source,
        with_deleted: bool,
        sort: &SortBy,
        offset: usize,
        limit: usize,
    ) -> Result<Page, QueryError> {
        let mut found: Vec<(SortKey, String)> = Vec::new();
        let mut look = |chunk: &Chunk<'_>, keep: &[bool]| {
            let keys = sort_keys(chunk, &sort.path, sort.order)?;
            let kept = chunk.nodes.iter().zip(keys).zip(keep).filter(|(_, keep)| **keep);
            found.extend(kept.map(|((node, key), _)| (key, node.key().to_owned())));
            Ok(())
        };
        self.all(source, Direction::Ascending, &mut look)?;
        if with_deleted {
            self.all_deleted(source, &mut look)?;
        }
        // Records with equal keys are in the order of their ids.
        found.sort_by(|(a, a_id), (b, b_id)| {
            let ordering = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            let ordering = if sort.order == Direction::Descending { ordering.reverse() } else { ordering };
            ordering.then_with(|| a_id.cmp(b_id))
        });
        let count = found.len() as u64;
        let mut nodes = Vec::new();
        for (_, id) in found.iter().skip(offset).take(limit) {
            let node = match self.table().node(self.env.view, id)? {
                None if with_deleted => self.table().deleted_node(self.env.view, id)?,
                live => live,
            };
            if let Some(node) = node {
                hold(&mut nodes, node)?;
            }
        }
        Ok(Page { nodes, count })
    }

    /// Which records of the chunk are kept.
    fn keep(&self, chunk: &Chunk<'_>) -> Result<Vec<bool>, QueryError> {
        let mut keep = vec![true; chunk.nodes.len()];
        for ids in &self.within {
            for (keep, node) in keep.iter_mut().zip(&chunk.nodes) {
                *keep = *keep && ids.contains(self.env.view, node.key())?;
            }
        }
        for predicate in &self.predicates {
            let holds = predicate.matches(chunk)?;
            keep.iter_mut().zip(holds).for_each(|(keep, holds)| *keep &= holds);
        }
        if let Some(search) = &self.search {
            let holds = search.matches(chunk)?;
            keep.iter_mut().zip(holds).for_each(|(keep, holds)| *keep &= holds);
        }
        Ok(keep)
    }
}

/// Adds a record to a page, which may hold so many and no more.
fn hold(nodes: &mut Vec<Node>, node: Node) -> Result<(), StoreError> {
    nodes.push(node);
    match nodes.len() {
        n if n > RECORDS_AT_ONCE_MAX => Err(StoreError::Halted(Halt::Records(RECORDS_AT_ONCE_MAX as u64))),
        _ => Ok(()),
    }
}

/// Gathers candidates until there are enough to look at them together.
struct Chunks<'c, 'l> {
    candidates: &'c Candidates<'c>,
    nodes: Vec<Node>,
    look: &'c mut Look<'l>,
    /// What went wrong while they were looked at: scans know errors of the store alone.
    error: Option<QueryError>,
}

impl Chunks<'_, '_> {
    fn add(&mut self, node: Node) -> Scan {
        self.nodes.push(node);
        if self.nodes.len() == N_TOGETHER {
            self.error = self.look().err();
        }
        if self.error.is_some() { Scan::Break(()) } else { Scan::Continue(()) }
    }

    fn look(&mut self) -> Result<(), QueryError> {
        let nodes = std::mem::replace(&mut self.nodes, Vec::with_capacity(N_TOGETHER));
        let chunk = Chunk::new(self.candidates.env, self.candidates.entity, nodes);
        let keep = self.candidates.keep(&chunk)?;
        (self.look)(&chunk, &keep)
    }

    fn end(mut self) -> Result<(), QueryError> {
        match self.error.take() {
            Some(error) => Err(error),
            None if self.nodes.is_empty() => Ok(()),
            None => self.look(),
        }
    }
}

fn check_sort(env: &Env<'_>, entity: &'static EntityDef, sort: &SortBy) -> Result<(), QueryError> {
    let invalid = || QueryError::Direction(sort.path.join("."));
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
    // What is computed of a record is computed for all of its candidates; what is beyond a relation is not.
    let is_computed =
        relations.is_empty() && env.graph.computed(entity.name, field).is_some_and(|it| it.sorts);
    if known || is_computed { Ok(()) } else { Err(invalid()) }
}

fn sort_keys(chunk: &Chunk<'_>, path: &[String], order: Direction) -> Result<Vec<SortKey>, QueryError> {
    let [first, rest @ ..] = path else { return Ok(chunk.nodes.iter().map(|_| SortKey::Null).collect()) };
    if rest.is_empty() {
        if let Some(computed) = chunk.env.graph.computed(chunk.entity.name, first) {
            let values = (computed.compute)(chunk.env, &chunk.nodes)?;
            return Ok(values.iter().map(|it| SortKey::of_json(it.as_ref())).collect());
        }
        return Ok(chunk
            .nodes
            .iter()
            .map(|node| SortKey::of(node.def(), first, &node.scalar(first)))
            .collect());
    }
    let Some(targets) = chunk.targets(first)? else {
        return Ok(chunk.nodes.iter().map(|_| SortKey::Null).collect());
    };
    let mut keys = sort_keys(&targets.chunk, rest, order)?.into_iter();
    // Of several the one counts that comes first: the least, or the greatest where the order descends.
    let first_of = |a: SortKey, b: SortKey| match (&a, &b) {
        (_, SortKey::Null) => a,
        (SortKey::Null, _) => b,
        _ if (a <= b) == (order == Direction::Ascending) => a,
        _ => b,
    };
    let first = |n: &usize| keys.by_ref().take(*n).reduce(first_of).unwrap_or(SortKey::Null);
    Ok(targets.sizes.iter().map(first).collect())
}
