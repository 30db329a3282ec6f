//! Lists with pagination: candidates from the narrowest source, filters on the rest, sorting, one page, an
//! exact count.

use atoll_storage::{Direction, EntityDef, Halt, Node, Scan, SortKey, StoreError, TableSource};
use atoll_values::{Filter, limits::RECORDS_AT_ONCE_MAX};

use crate::{
    Env, Ids, QueryError,
    chunk::Chunk,
    cursor::{Cursor, Filling, Position, Slice},
    ids::IdSet,
    indexed::{Indexed, Numbered, page_of_set},
    narrow::{Narrowed, narrow},
    predicate::{Predicate, Search},
    sorting::Sorting,
    wall::Confined,
};

/// Candidates whose filters are evaluated together: enough for a batched call to pay off, few enough that a
/// page near the beginning reads little beyond it.
const CHUNK_SIZE: usize = 128;

/// Relations in a path to sort by.
const N_SORT_RELATIONS_MAX: usize = 3;

/// The field to sort by, and the direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortBy {
    /// Relations to one record each, then a field.
    pub path: Vec<String>,
    /// Descending for `-field`.
    pub direction: Direction,
}

impl SortBy {
    /// Parses the wire's `field` or `-field`.
    pub fn parse(text: &str) -> SortBy {
        let (path, direction) = match text.strip_prefix('-') {
            Some(path) => (path, Direction::Descending),
            None => (text, Direction::Ascending),
        };
        SortBy { path: path.split('.').map(str::to_owned).collect(), direction }
    }
}

/// The parameters of a list.
#[derive(Default)]
pub struct ListQuery {
    /// Conditions that must all hold.
    pub filters: Vec<Filter>,
    /// Only records in all of these sets: the listing that the caller may see, a link that was filtered by.
    pub within: Vec<Box<dyn Ids>>,
    /// Words that must all occur in the searched fields.
    pub q: Option<String>,
    /// The sort order. The default is ascending ids.
    pub sort: Option<SortBy>,
    /// Records to skip, if there is no cursor.
    pub offset: usize,
    /// The size of the page.
    pub limit: usize,
    /// Where the page begins; the page then tells where the next one does.
    pub cursor: Option<Cursor>,
    /// Include soft-deleted records.
    pub with_deleted: bool,
}

/// One page of a list.
#[derive(Default)]
pub struct Page {
    /// The records of the page, in order.
    pub nodes: Vec<Node>,
    /// The number of records on all pages, exact.
    pub count: u64,
    /// Where the next page begins, if a cursor was given and there is one.
    pub next: Option<Cursor>,
}

/// Where the candidates of a list come from.
pub(crate) enum Source {
    Table,
    IdSet(IdSet),
    Within(Box<dyn Ids>),
}

/// The part of the query that a proposed source comes from, by index: one of its sets, a filter on the id, or
/// one that an index or a link can answer.
pub(crate) enum Origin {
    Set(usize),
    Named(usize),
    Filter(usize),
}

/// A proposed source, and an upper bound of its size.
pub(crate) type Proposed = (u64, Origin);

/// Candidates that are read one by one rather than looked for in the list index: about a page of them.
pub(crate) const N_FEW: u64 = 64;

/// Reads one page of `entity`.
///
/// If one source answers the whole query and the order is by id, the cost is that of the page. Else the list
/// index of the table answers, if it has one. Otherwise every candidate of the narrowest source is read.
pub fn list(env: &Env<'_>, entity: &'static EntityDef, query: ListQuery) -> Result<Page, QueryError> {
    let ListQuery { filters, within, q, sort, offset, limit, cursor, with_deleted } = query;
    if let Some(sort) = &sort {
        check_sort(env, entity, sort)?;
    }
    let id_direction = match &sort {
        None => Some(Direction::Ascending),
        Some(sort) if sort.path == [entity.key] && entity.key == "id" => Some(sort.direction),
        Some(_) => None,
    };
    let by_path = match id_direction {
        None => sort,
        // Live and deleted records are two tables, which are sorted together.
        Some(direction) => with_deleted.then(|| SortBy { path: vec![entity.key.to_owned()], direction }),
    };
    let slice = match &cursor {
        Some(cursor) => cursor.slice(limit),
        None => Slice { after: None, offset, limit },
    };
    let candidates = Candidates::of(env, entity, filters, within, q);
    let mut page =
        candidates.find(by_path.as_ref(), id_direction.unwrap_or_default(), with_deleted, &slice)?;
    if let Some(cursor) = cursor {
        page.next = cursor.advance(env, entity, by_path.as_ref(), &mut page, limit)?;
    }
    Ok(page)
}

/// The conditions to evaluate for each candidate.
pub(crate) struct Candidates<'a> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) entity: &'static EntityDef,
    pub(crate) filters: Vec<Filter>,
    /// What is found by each of the filters, once they have been looked up.
    pub(crate) narrowed: Vec<Option<Narrowed<'a>>>,
    pub(crate) within: Vec<Box<dyn Ids>>,
    pub(crate) confined: Confined,
    pub(crate) search: Option<Search>,
}

/// Called with each chunk of candidates; the flags say which of them pass the conditions.
pub(crate) type Visit<'l> = dyn FnMut(&Chunk<'_>, &[bool]) -> Result<(), QueryError> + 'l;

impl<'a> Candidates<'a> {
    pub(crate) fn of(
        env: &'a Env<'a>,
        entity: &'static EntityDef,
        filters: Vec<Filter>,
        mut within: Vec<Box<dyn Ids>>,
        q: Option<String>,
    ) -> Candidates<'a> {
        let mut filters = filters.into_iter().flat_map(Filter::parts).collect();
        let confined = Confined::list(env, entity, &mut filters, &mut within);
        let search = q.filter(|q| !q.trim().is_empty()).as_deref().map(Search::of);
        Candidates { env, entity, filters, narrowed: Vec::new(), within, confined, search }
    }

    /// One page: by a path, or by id in this direction.
    fn find(
        mut self,
        by_path: Option<&SortBy>,
        direction: Direction,
        with_deleted: bool,
        slice: &Slice,
    ) -> Result<Page, QueryError> {
        let narrowest = self.narrowest(with_deleted)?;
        let source = match self.env.graph.list_index(self.entity.name) {
            Some(index) if !with_deleted && !self.is_read_as_it_is(by_path, narrowest.as_ref(), slice) => {
                if let Some(sort) = by_path
                    && let Some(ids) = self.only_set(narrowest.as_ref()).filter(|it| !it.has_numbers(index))
                    && let Some(page) = page_of_set(self.env, index, ids, sort, slice)?
                {
                    return Ok(page);
                }
                let numbers = Indexed { candidates: &mut self, index }.answer()?;
                let is_answered = self.is_unfiltered();
                let n_read = if is_answered { slice.end() } else { usize::MAX };
                let set = Numbered { index, numbers, n_read };
                if is_answered && let Some(page) = set.page_by(self.env, by_path, direction, slice)? {
                    return Ok(page);
                }
                let is_whole = !is_answered && set.numbers.len() == self.table().n_rows(self.env.view)?;
                // What is left looks at every record anyway.
                if is_whole { Source::Table } else { Source::Within(Box::new(set)) }
            }
            _ => self.take(narrowest),
        };
        match by_path {
            Some(SortBy { path, direction }) => {
                self.sorted_page(&source, with_deleted, path, *direction, slice)
            }
            None => self.page(&source, direction, slice),
        }
    }

    fn is_unfiltered(&self) -> bool {
        let has_conditions = !self.filters.is_empty() || !self.within.is_empty() || self.search.is_some();
        !has_conditions && !self.confined.asks_each()
    }

    /// Drops all conditions: they have been evaluated.
    pub(crate) fn drop_conditions(&mut self) {
        (self.filters, self.within, self.search) = (Vec::new(), Vec::new(), None);
        self.confined = Confined::nothing();
    }

    /// The proposed set, if it is the whole condition.
    fn only_set<'s>(&'s self, proposed: Option<&'s Proposed>) -> Option<&'s dyn Ids> {
        if self.search.is_some() || self.confined.asks_each() {
            return None;
        }
        match (proposed?, &self.within[..], &self.filters[..]) {
            ((_, Origin::Set(_)), [ids], []) => Some(&**ids),
            ((_, Origin::Filter(index)), [], [filter]) if self.is_exact(filter) => {
                self.narrowed[*index].as_ref().and_then(|it| it.ids.as_deref())
            }
            _ => None,
        }
    }

    /// Does the index that narrows by this filter tell what the caller may see? `narrow` does not ask the
    /// wall, so that a filter over a relation is evaluated again.
    fn is_exact(&self, filter: &Filter) -> bool {
        self.env.context.wall().is_none() || !filter.has_relation()
    }

    /// Is the narrowest source best read as it is? Because it is small, or because it answers the whole query
    /// in the order of the ids, and little of it is skipped.
    fn is_read_as_it_is(
        &self,
        by_path: Option<&SortBy>,
        narrowest: Option<&Proposed>,
        slice: &Slice,
    ) -> bool {
        let is_simple = self.filters.is_empty() && self.search.is_none() && !self.confined.asks_each();
        let index = self.env.graph.list_index(self.entity.name);
        let jumps = index.filter(|it| it.block_size.is_some_and(|size| slice.offset > usize::from(size)));
        let is_ordered = |ids: &dyn Ids| ids.is_ordered() && !jumps.is_some_and(|it| ids.has_numbers(it));
        match narrowest {
            Some((_, Origin::Named(_))) => true,
            Some((size, _)) if *size <= N_FEW => true,
            Some(_) => by_path.is_none() && self.only_set(narrowest).is_some_and(is_ordered),
            None => is_simple && by_path.is_none() && jumps.is_none(),
        }
    }

    /// The smallest source that the query names.
    pub(crate) fn narrowest(&mut self, with_deleted: bool) -> Result<Option<Proposed>, QueryError> {
        if let Some(index) = self.filters.iter().position(|filter| filter.texts_of("id").is_some()) {
            return Ok(Some((0, Origin::Named(index))));
        }
        let mut narrowest: Option<Proposed> = None;
        let mut propose = |size, origin| {
            if narrowest.as_ref().is_none_or(|(least, _)| size < *least) {
                narrowest = Some((size, origin));
            }
        };
        for (index, ids) in self.within.iter().enumerate() {
            propose(ids.at_most(self.env.view)?, Origin::Set(index));
        }
        // Indexes and links hold live records only.
        for (index, filter) in self.filters.iter().enumerate().filter(|_| !with_deleted) {
            let narrowed = narrow(self.env, self.entity, filter)?;
            if let Some(ids) = narrowed.as_ref().and_then(|it| it.ids.as_ref()) {
                propose(ids.at_most(self.env.view)?, Origin::Filter(index));
            }
            self.narrowed.push(narrowed);
        }
        Ok(narrowest)
    }

    /// Makes the proposed part the source. The conditions of the others are evaluated for each candidate.
    pub(crate) fn take(&mut self, narrowest: Option<Proposed>) -> Source {
        match narrowest.map(|(_, origin)| origin) {
            None => Source::Table,
            Some(Origin::Named(index)) => {
                let filter = self.filters.swap_remove(index);
                let ids = filter.texts_of("id").unwrap_or_default().into_iter().map(str::to_owned);
                Source::IdSet(IdSet(ids.collect()))
            }
            Some(Origin::Set(index)) => Source::Within(self.within.swap_remove(index)),
            Some(Origin::Filter(index)) => {
                let ids = self.narrowed.swap_remove(index).and_then(|it| it.ids);
                if self.is_exact(&self.filters[index]) {
                    self.filters.swap_remove(index);
                }
                Source::Within(ids.expect("it was proposed"))
            }
        }
    }

    fn table(&self) -> &'static dyn TableSource {
        self.env.graph.table(self.entity.name)
    }

    /// A page by id.
    fn page(&self, source: &Source, direction: Direction, slice: &Slice) -> Result<Page, QueryError> {
        if self.is_unfiltered() {
            return self.unfiltered_page(source, direction, slice);
        }
        let (mut filling, mut count) = (Filling::new(slice), 0);
        self.all(source, direction, &mut |chunk, keep| {
            for (node, _) in chunk.nodes.iter().zip(keep).filter(|(_, keep)| **keep) {
                count += 1;
                if slice.is_before(node.key(), direction) {
                    let _ = filling.add(|| Ok(Some(node.clone())))?;
                }
            }
            Ok(())
        })?;
        Ok(filling.page(count))
    }

    /// A page of a source that answers the whole query: skips over ids, and loads only the records of the
    /// page.
    fn unfiltered_page(
        &self,
        source: &Source,
        direction: Direction,
        slice: &Slice,
    ) -> Result<Page, QueryError> {
        let (view, table) = (self.env.view, self.table());
        let (mut filling, after) = (Filling::new(slice), slice.after_id());
        let count = match source {
            // Ids without a record do not count, so all of them are looked up.
            Source::IdSet(ids) => {
                let mut count = 0;
                ids.scan(view, None, direction, &mut |id| {
                    let Some(node) = table.node(view, id)? else { return Ok(Scan::Continue(())) };
                    count += 1;
                    if slice.is_before(id, direction) {
                        let _ = filling.add(|| Ok(Some(node)))?;
                    }
                    Ok(Scan::Continue(()))
                })?;
                count
            }
            Source::Within(ids) => {
                ids.scan(view, after, direction, &mut |id| filling.add(|| table.node(view, id)))?;
                ids.count(view)?
            }
            Source::Table => {
                table.nodes(view, after, direction, &mut |node| filling.add(|| Ok(Some(node))))?;
                table.n_rows(view)?
            }
        };
        Ok(filling.page(count))
    }

    /// Visits every candidate of the source in chunks, so that memory is bounded by one chunk.
    pub(crate) fn all(
        &self,
        source: &Source,
        direction: Direction,
        visit: &mut Visit<'_>,
    ) -> Result<(), QueryError> {
        let (view, table) = (self.env.view, self.table());
        let mut chunks = Chunks::new(self, visit);
        let mut load = |id: &str| match table.node(view, id)? {
            Some(node) => Ok(chunks.add(node)),
            None => Ok(Scan::Continue(())),
        };
        match source {
            Source::IdSet(ids) => ids.scan(view, None, direction, &mut load)?,
            Source::Within(ids) => ids.scan(view, None, direction, &mut load)?,
            Source::Table => table.nodes(view, None, direction, &mut |node| Ok(chunks.add(node)))?,
        }
        chunks.finish()
    }

    /// As `all`, for the soft-deleted candidates.
    pub(crate) fn all_deleted(&self, source: &Source, visit: &mut Visit<'_>) -> Result<(), QueryError> {
        let ids = match source {
            Source::IdSet(ids) => Some(&ids.0),
            Source::Table => None,
            // Links and indexes hold live records only.
            Source::Within(_) => return Ok(()),
        };
        let mut chunks = Chunks::new(self, visit);
        self.table().deleted_nodes(self.env.view, &mut |node| {
            let is_candidate = ids.is_none_or(|ids| ids.contains(node.key()));
            Ok(if is_candidate { chunks.add(node) } else { Scan::Continue(()) })
        })?;
        chunks.finish()
    }

    /// Sorts all matching candidates and loads one page. Only the ids and sort keys up to the page are held
    /// in memory; the records of the page are read a second time.
    fn sorted_page(
        &self,
        source: &Source,
        with_deleted: bool,
        path: &[String],
        direction: Direction,
        slice: &Slice,
    ) -> Result<Page, QueryError> {
        let mut sorting = Sorting::new(slice, direction);
        let mut visit = |chunk: &Chunk<'_>, keep: &[bool]| {
            let keys = sort_keys(chunk, path, direction)?;
            for ((node, key), _) in chunk.nodes.iter().zip(keys).zip(keep).filter(|(_, keep)| **keep) {
                sorting.add(Position { key, id: node.key().to_owned() })?;
            }
            Ok(())
        };
        self.all(source, Direction::Ascending, &mut visit)?;
        if with_deleted {
            self.all_deleted(source, &mut visit)?;
        }
        let (ids, count) = sorting.page()?;
        let mut page = Page { count, ..Page::default() };
        for id in ids {
            let node = match self.table().node(self.env.view, &id)? {
                None if with_deleted => self.table().deleted_node(self.env.view, &id)?,
                live => live,
            };
            if let Some(node) = node {
                push_bounded(&mut page.nodes, node)?;
            }
        }
        Ok(page)
    }

    /// For each record of the chunk: does it pass all conditions?
    fn keep(&self, chunk: &Chunk<'_>, predicates: &[Predicate]) -> Result<Vec<bool>, QueryError> {
        let mut keep = vec![true; chunk.nodes.len()];
        for ids in &self.within {
            for (keep, node) in keep.iter_mut().zip(&chunk.nodes) {
                *keep = *keep && ids.contains(self.env.view, node.key())?;
            }
        }
        for predicate in predicates {
            let holds = predicate.matches(chunk)?;
            keep.iter_mut().zip(holds).for_each(|(keep, holds)| *keep &= holds);
        }
        if self.confined.asks_each() {
            let shown = self.confined.shows(self.env, &chunk.nodes)?;
            keep.iter_mut().zip(shown).for_each(|(keep, shown)| *keep &= shown);
        }
        if let Some(search) = &self.search {
            let holds = search.matches(chunk)?;
            keep.iter_mut().zip(holds).for_each(|(keep, holds)| *keep &= holds);
        }
        Ok(keep)
    }
}

/// Adds a record to a page, up to [`RECORDS_AT_ONCE_MAX`].
pub(crate) fn push_bounded(nodes: &mut Vec<Node>, node: Node) -> Result<(), StoreError> {
    nodes.push(node);
    match nodes.len() {
        n if n > RECORDS_AT_ONCE_MAX => Err(StoreError::Halted(Halt::Records(RECORDS_AT_ONCE_MAX as u64))),
        _ => Ok(()),
    }
}

/// A buffer that passes candidates on in chunks.
struct Chunks<'c, 'l> {
    candidates: &'c Candidates<'c>,
    /// Its filters.
    predicates: Vec<Predicate>,
    nodes: Vec<Node>,
    visit: &'c mut Visit<'l>,
    /// The first error of a visit. Kept here because a scan can only return errors of the store.
    error: Option<QueryError>,
}

impl<'c, 'l> Chunks<'c, 'l> {
    fn new(candidates: &'c Candidates<'c>, visit: &'c mut Visit<'l>) -> Self {
        let predicates = candidates.filters.iter().map(Predicate::of).collect();
        Chunks { candidates, predicates, nodes: Vec::with_capacity(CHUNK_SIZE), visit, error: None }
    }

    fn add(&mut self, node: Node) -> Scan {
        self.nodes.push(node);
        if self.nodes.len() == CHUNK_SIZE {
            self.error = self.flush().err();
        }
        if self.error.is_some() { Scan::Break(()) } else { Scan::Continue(()) }
    }

    fn flush(&mut self) -> Result<(), QueryError> {
        let nodes = std::mem::replace(&mut self.nodes, Vec::with_capacity(CHUNK_SIZE));
        let chunk = Chunk::new(self.candidates.env, self.candidates.entity, nodes);
        let keep = self.candidates.keep(&chunk, &self.predicates)?;
        (self.visit)(&chunk, &keep)
    }

    fn finish(mut self) -> Result<(), QueryError> {
        match self.error.take() {
            Some(error) => Err(error),
            None if self.nodes.is_empty() => Ok(()),
            None => self.flush(),
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
    // Computed fields are sortable on the entity itself, where they are computed in batches; not across a
    // relation.
    let is_computed =
        relations.is_empty() && env.graph.computed(entity.name, field).is_some_and(|it| it.sorts);
    if known || is_computed { Ok(()) } else { Err(invalid()) }
}

pub(crate) fn sort_keys(
    chunk: &Chunk<'_>,
    path: &[String],
    direction: Direction,
) -> Result<Vec<SortKey>, QueryError> {
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
    let mut keys = sort_keys(&targets.chunk, rest, direction)?.into_iter();
    // Of several targets the first in the sort direction counts: the least, or the greatest if descending.
    let first_of = |a: SortKey, b: SortKey| match (&a, &b) {
        (_, SortKey::Null) => a,
        (SortKey::Null, _) => b,
        _ if (a <= b) == (direction == Direction::Ascending) => a,
        _ => b,
    };
    let first = |n: &usize| keys.by_ref().take(*n).reduce(first_of).unwrap_or(SortKey::Null);
    Ok(targets.sizes.iter().map(first).collect())
}
