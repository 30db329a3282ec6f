//! Lists that the list index of their table answers: conditions become bitmaps of numbers, so that the exact
//! count is known without reading records, and a page is read in the order in which the index holds it.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem, ptr,
};

use atoll_storage::{
    COST_OF_ID, COST_OF_PLACE, Direction, FieldKind, ListIndex, NumberSet, Read, Scan, SortKey, StoreError,
    Walk, intersect,
};
use atoll_values::{Comparison, Condition, Filter, Timestamp};

use crate::{
    Env, Ids, Page, QueryError, Resolve, SortBy,
    cursor::{Filling, Slice},
    ids::{IdSet, numbers_of},
    list::{Candidates, Source},
    narrow::{Narrowed, narrow, reversed, shown},
    predicate::Search,
};

/// Some records of a table by their numbers.
pub(crate) struct Numbered {
    pub(crate) index: &'static ListIndex,
    pub(crate) numbers: NumberSet,
    /// About how many of them will be read.
    pub(crate) n_read: usize,
}

impl Numbered {
    /// See [`n_steps_max`].
    fn n_steps_max(&self, view: &dyn Read, cost_of_one: u64) -> Result<Option<u64>, StoreError> {
        Ok(n_steps_max(self.index.table.n_rows(view)?, self.numbers.len(), self.n_read, cost_of_one))
    }

    /// Is walking an order in blocks cheaper than looking up each record of the set at this cost? So many are
    /// looked up as the page has.
    fn is_walked(
        &self,
        view: &dyn Read,
        block_size: u16,
        n_page: usize,
        cost_of_one: u64,
    ) -> Result<bool, StoreError> {
        let (n_rows, n_block) = (self.index.table.n_rows(view)?, u64::from(block_size));
        let n_set = self.numbers.len().max(1);
        let n_of = |n: usize| (n as u64).min(n_set);
        let stepping = n_of(self.n_read).saturating_mul(n_rows) / n_set;
        let jumping = n_rows / n_block + n_block + n_of(n_page) * cost_of_one;
        Ok(stepping.min(jumping) < n_set * cost_of_one)
    }

    /// The ids of the set.
    fn ids(&self, view: &dyn Read) -> Result<IdSet, StoreError> {
        let mut ids = BTreeSet::new();
        for number in &self.numbers {
            ids.extend(self.index.id(view, number)?);
        }
        Ok(IdSet(ids))
    }

    /// One page in the order of a path, or of the ids: walking that order, where this is cheaper than
    /// sorting; else `None`.
    pub(crate) fn page_by(
        &self,
        env: &Env<'_>,
        by_path: Option<&SortBy>,
        by_id: Direction,
        slice: &Slice,
    ) -> Result<Option<Page>, QueryError> {
        let (index, count) = (self.index, self.numbers.len());
        let Some(block_size) = index.block_size else {
            let is_in = |_: &str, number: u32| Ok(self.numbers.contains(number));
            return by_path.map_or(Ok(None), |sort| page_by(env, index, sort, slice, count, &is_in));
        };
        let (field, direction, cost) = match by_path.map(|it| (&it.path[..], it.direction)) {
            None => (None, by_id, COST_OF_ID),
            Some(([field], direction)) if index.has_order(field) => {
                (Some(field.as_str()), direction, COST_OF_PLACE)
            }
            Some(_) => return Ok(None),
        };
        let page = Slice { after: None, offset: 0, limit: slice.limit };
        let mut filling = Filling::new(&page);
        if slice.offset as u64 >= count || slice.limit == 0 {
            return Ok(Some(filling.page(count)));
        }
        if !self.is_walked(env.view, block_size, slice.limit, cost)? {
            return Ok(None);
        }
        let after = slice.after.as_ref().map(|it| (&it.key, it.id.as_str()));
        let (n_skipped, n_wanted) = (slice.offset as u64, slice.limit as u64);
        let walk = Walk { set: &self.numbers, field, direction, after, n_skipped, n_wanted };
        index.walk(env.view, &walk, &mut |id, _| filling.add(|| index.table.node(env.view, id)))?;
        Ok(Some(filling.page(count)))
    }
}

/// As [`Numbered::page_by`], for a set of ids whose numbers are not kept: each is looked up in it.
pub(crate) fn page_of_set(
    env: &Env<'_>,
    index: &'static ListIndex,
    ids: &dyn Ids,
    sort: &SortBy,
    slice: &Slice,
) -> Result<Option<Page>, QueryError> {
    page_by(env, index, sort, slice, ids.count(env.view)?, &|id, _| ids.contains(env.view, id))
}

/// The number of steps through `n_rows` records, in any order, up to which keeping those of a set is cheaper
/// than looking up each of the set at this cost; `None` if more are expected. Records may be anywhere in an
/// order, so that this is a limit, too: beyond it the set is looked up.
fn n_steps_max(n_rows: u64, n_set: u64, n_read: usize, cost_of_one: u64) -> Option<u64> {
    let n_set = n_set.max(1);
    let n_steps = (n_read as u64).min(n_set).saturating_mul(n_rows) / n_set;
    let n_max = n_set.saturating_mul(cost_of_one);
    (n_steps < n_max).then_some(n_max)
}

fn page_by(
    env: &Env<'_>,
    index: &'static ListIndex,
    sort: &SortBy,
    slice: &Slice,
    count: u64,
    is_in: &dyn Fn(&str, u32) -> Result<bool, StoreError>,
) -> Result<Option<Page>, QueryError> {
    let [field] = &sort.path[..] else { return Ok(None) };
    if !index.has_order(field) {
        return Ok(None);
    }
    let mut filling = Filling::new(slice);
    if slice.offset as u64 >= count || slice.limit == 0 {
        return Ok(Some(filling.page(count)));
    }
    let n_rows = index.table.n_rows(env.view)?;
    let Some(mut n_steps) = n_steps_max(n_rows, count, slice.end(), COST_OF_PLACE) else { return Ok(None) };
    let (mut n_left, mut is_given_up) = (count, false);
    let after = slice.after.as_ref().map(|it| (&it.key, it.id.as_str()));
    index.by_field(env.view, field, after, sort.direction, &mut |id, number| {
        is_given_up = n_steps == 0;
        if is_given_up {
            return Ok(Scan::Break(()));
        }
        n_steps -= 1;
        if !is_in(id, number)? {
            return Ok(Scan::Continue(()));
        }
        n_left -= 1;
        let flow = filling.add(|| index.table.node(env.view, id))?;
        Ok(if n_left > 0 { flow } else { Scan::Break(()) })
    })?;
    Ok((!is_given_up).then(|| filling.page(count)))
}

impl Ids for Numbered {
    fn count(&self, _: &dyn Read) -> Result<u64, StoreError> {
        Ok(self.numbers.len())
    }

    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        if let Some(block_size) = self.index.block_size {
            if !self.is_walked(view, block_size, self.n_read, COST_OF_ID)? {
                return self.ids(view)?.scan(view, after, direction, visit);
            }
            let after = after.map(|id| (&SortKey::Null, id));
            let n_wanted = self.n_read as u64;
            let walk = Walk { set: &self.numbers, field: None, direction, after, n_skipped: 0, n_wanted };
            return self.index.walk(view, &walk, &mut |id, _| visit(id));
        }
        let n_steps_max = self.n_steps_max(view, COST_OF_ID)?;
        let (mut n_steps, mut n_left) = (n_steps_max.unwrap_or(0), self.numbers.len());
        let (mut last, mut is_stopped) = (after.map(str::to_owned), n_left == 0);
        let mut is_given_up = n_steps_max.is_none();
        if !is_given_up {
            self.index.by_id(view, after, direction, &mut |id, number| {
                is_given_up = n_steps == 0;
                if is_stopped || n_left == 0 || is_given_up {
                    return Ok(Scan::Break(()));
                }
                n_steps -= 1;
                if self.numbers.contains(number) {
                    n_left -= 1;
                    is_stopped = visit(id)?.is_break();
                    last = Some(id.to_owned());
                }
                Ok(Scan::Continue(()))
            })?;
        }
        if is_stopped || n_left == 0 || !is_given_up {
            return Ok(());
        }
        self.ids(view)?.scan(view, last.as_deref(), direction, visit)
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(self.index.number(view, id)?.is_some_and(|it| self.numbers.contains(it)))
    }

    fn has_numbers(&self, index: &'static ListIndex) -> bool {
        ptr::eq(self.index, index)
    }

    fn numbers(&self, _: &dyn Read, index: &'static ListIndex) -> Result<Option<NumberSet>, StoreError> {
        Ok(self.has_numbers(index).then(|| self.numbers.clone()))
    }
}

/// The records that a condition admits.
struct Admitted {
    numbers: NumberSet,
    /// Those among them that must be looked at: the index does not know what the wall hides of them.
    unsure: NumberSet,
}

impl Admitted {
    fn exactly(numbers: NumberSet) -> Admitted {
        Admitted { numbers, unsure: NumberSet::new() }
    }

    fn at_most(numbers: NumberSet) -> Admitted {
        Admitted { unsure: numbers.clone(), numbers }
    }

    fn of(numbers: NumberSet, is_exact: bool) -> Admitted {
        if is_exact { Admitted::exactly(numbers) } else { Admitted::at_most(numbers) }
    }
}

/// The conditions of a list on one time: from one moment on, and before another.
struct Period {
    from: Timestamp,
    until: Timestamp,
    filters: Vec<Filter>,
}

impl Default for Period {
    fn default() -> Self {
        let (from, until) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        Period { from, until, filters: Vec::new() }
    }
}

impl Period {
    /// Ends it where this condition does.
    fn narrow(&mut self, comparison: Comparison, at: Timestamp, filter: Filter) {
        match comparison {
            Comparison::Gt => self.from = self.from.max(at.plus_millis(1)),
            Comparison::Gte => self.from = self.from.max(at),
            Comparison::Lt => self.until = self.until.min(at),
            _ => self.until = self.until.min(at.plus_millis(1)),
        }
        self.filters.push(filter);
    }
}

/// Those that this condition admits, too.
fn and(all: &mut Option<Admitted>, other: Admitted) {
    *all = Some(match all.take() {
        Some(all) => Admitted { numbers: all.numbers & other.numbers, unsure: all.unsure | other.unsure },
        None => other,
    });
}

/// A list, and the index that answers what it can of its conditions.
pub(crate) struct Indexed<'c, 'a> {
    pub(crate) candidates: &'c mut Candidates<'a>,
    pub(crate) index: &'static ListIndex,
}

impl Indexed<'_, '_> {
    /// The records that pass the conditions which the index answers. The others are left to the candidates.
    pub(crate) fn answer(self) -> Result<NumberSet, QueryError> {
        let (env, index) = (self.candidates.env, self.index);
        let mut all: Option<Admitted> = None;
        let mut is_looked_at = self.candidates.confined.asks_each();
        let mut within = Vec::new();
        for ids in mem::take(&mut self.candidates.within) {
            match numbers_of(env.view, &*ids, index)? {
                Some(numbers) => and(&mut all, Admitted::exactly(numbers)),
                None => within.push(ids),
            }
        }
        let (mut filters, mut periods) = (Vec::new(), BTreeMap::<String, Period>::new());
        let narrowed = mem::take(&mut self.candidates.narrowed);
        for (filter, narrowed) in mem::take(&mut self.candidates.filters).into_iter().zip(narrowed) {
            if let Some((field, comparison, at)) = self.bound_of(&filter) {
                periods.entry(field.to_owned()).or_default().narrow(comparison, at, filter);
                continue;
            }
            match self.where_holds(&filter, narrowed)? {
                Some(it) if it.unsure.is_empty() => and(&mut all, it),
                it => {
                    it.into_iter().for_each(|it| and(&mut all, it));
                    filters.push(filter);
                }
            }
        }
        match &self.candidates.search {
            Some(search) if self.has_what_is_searched() => and(&mut all, self.containing(search)?),
            search => is_looked_at |= search.is_some(),
        }
        for (field, Period { from, until, filters: bounds }) in periods {
            let n_others = match &all {
                Some(all) => all.numbers.len(),
                None => index.table.n_rows(env.view)?,
            };
            // Beyond it, looking at each of the others is cheaper.
            let n_max = n_others.saturating_mul(COST_OF_PLACE);
            match index.between(env.view, &field, &SortKey::Time(from), &SortKey::Time(until), n_max)? {
                Some(numbers) => and(&mut all, Admitted::exactly(numbers)),
                None => filters.extend(bounds),
            }
        }
        is_looked_at |= !within.is_empty() || !filters.is_empty();
        (self.candidates.within, self.candidates.filters) = (within, filters);
        let mut all = all.map_or_else(|| self.everything(), Ok)?;
        all.unsure &= &all.numbers;
        if is_looked_at || (!all.unsure.is_empty() && all.unsure == all.numbers) {
            return Ok(all.numbers);
        }
        if !all.unsure.is_empty() {
            let passed = self.look_at(&all.unsure)?;
            all.numbers = (all.numbers - all.unsure) | passed;
        }
        self.candidates.drop_conditions();
        Ok(all.numbers)
    }

    fn everything(&self) -> Result<Admitted, QueryError> {
        Ok(Admitted::exactly(self.index.all(self.candidates.env.view)?))
    }

    /// Reads these records; returns those that pass the conditions that are left.
    fn look_at(&self, unsure: &NumberSet) -> Result<NumberSet, QueryError> {
        let (env, index) = (self.candidates.env, self.index);
        let source = Numbered { index, numbers: unsure.clone(), n_read: usize::MAX };
        let mut passed = NumberSet::new();
        let source = Source::Within(Box::new(source));
        self.candidates.all(&source, Direction::Ascending, &mut |chunk, keep| {
            for (node, _) in chunk.nodes.iter().zip(keep).filter(|(_, keep)| **keep) {
                passed.extend(index.number(env.view, node.key())?);
            }
            Ok(())
        })?;
        Ok(passed)
    }

    /// The records for which the filter holds; `None` if the index cannot tell.
    fn where_holds(
        &self,
        filter: &Filter,
        narrowed: Option<Narrowed<'_>>,
    ) -> Result<Option<Admitted>, QueryError> {
        match filter {
            Filter::All(parts) => {
                let mut all: Option<Admitted> = None;
                for part in parts {
                    let Some(part) = self.part_holds(part)? else { return Ok(None) };
                    and(&mut all, part);
                }
                Ok(all)
            }
            Filter::Any(parts) => {
                let mut any = Admitted::exactly(NumberSet::new());
                for part in parts {
                    let Some(part) = self.part_holds(part)? else { return Ok(None) };
                    any.numbers |= part.numbers;
                    any.unsure |= part.unsure;
                }
                Ok(Some(any))
            }
            Filter::One(condition) => match &condition.path[..] {
                [field] if self.index.has_filter(field) => Ok(self.with_values(field, condition)?),
                path => narrowed.map_or(Ok(None), |it| self.narrowed(it, path.len())),
            },
        }
    }

    /// As `where_holds`, for a part of a filter.
    fn part_holds(&self, part: &Filter) -> Result<Option<Admitted>, QueryError> {
        let Candidates { env, entity, .. } = &self.candidates;
        self.where_holds(part, narrow(env, entity, part)?)
    }

    /// Is it a lower or upper bound of a time by which the index sorts?
    fn bound_of<'f>(&self, filter: &'f Filter) -> Option<(&'f str, Comparison, Timestamp)> {
        let Filter::One(Condition { path, comparison, values }) = filter else { return None };
        let ([field], [Some(text), ..]) = (&path[..], &values[..]) else { return None };
        let def = self.index.def();
        let (_, kind) = def.fields.iter().zip(def.kinds).find(|(it, _)| *it == field)?;
        let is_time = matches!(kind, FieldKind::Time | FieldKind::OrNull(FieldKind::Time));
        let is_bound =
            matches!(comparison, Comparison::Gt | Comparison::Gte | Comparison::Lt | Comparison::Lte);
        if !(is_time && is_bound && self.index.has_order(field)) {
            return None;
        }
        Some((field, *comparison, text.parse().ok()?))
    }

    /// By the sets of a field.
    fn with_values(&self, field: &str, condition: &Condition) -> Result<Option<Admitted>, StoreError> {
        let Condition { comparison, values, .. } = condition;
        let Some(values) = values.iter().map(Option::as_deref).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let numbers = match comparison {
            Comparison::In => self.with_one_of(field, values)?,
            Comparison::NotIn => {
                self.index.all(self.candidates.env.view)? - self.with_one_of(field, values)?
            }
            _ => return Ok(None),
        };
        Ok(Some(Admitted::exactly(numbers)))
    }

    fn with_one_of<'v>(
        &self,
        field: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<NumberSet, StoreError> {
        let mut numbers = NumberSet::new();
        for value in values {
            numbers |= self.index.with_value(self.candidates.env.view, field, value)?;
        }
        Ok(numbers)
    }

    /// By what an index or a link has found for a filter with so many parts in its path.
    fn narrowed(&self, narrowed: Narrowed<'_>, n_path: usize) -> Result<Option<Admitted>, QueryError> {
        let (env, mut ids) = (self.candidates.env, narrowed.ids);
        let mut is_exact = true;
        if let Some((relation, mut targets)) = narrowed.targets {
            if env.context.wall().is_some() {
                let shown = shown(env, relation, &targets)?;
                if shown.len() < targets.len() {
                    ids = reversed(env, relation, &shown)?;
                    targets = shown;
                }
                // Only the last relation of a path has been seen with the eyes of the caller.
                is_exact = n_path == 2;
            }
            if let Resolve::Field(field) = relation.resolve
                && self.index.has_filter(field)
            {
                let numbers = self.with_one_of(field, targets.iter().map(String::as_str))?;
                return Ok(Some(Admitted::of(numbers, is_exact)));
            }
        }
        let Some(ids) = ids else { return Ok(None) };
        let admitted = |numbers| Admitted::of(numbers, is_exact);
        Ok(numbers_of(env.view, &*ids, self.index)?.map(admitted))
    }

    /// Does the index hold the words of exactly those records that `q` searches? A module can add relations
    /// to the entity that are searched, too.
    fn has_what_is_searched(&self) -> bool {
        let Indexed { candidates, index } = self;
        let mut searched = candidates.env.graph.relations(index.def().name).filter(|it| it.searched);
        let are_these = match (&index.children, searched.next()) {
            (None, None) => true,
            (Some(children), Some(relation)) => {
                relation.to == children.table.def().name
                    && matches!(relation.resolve, Resolve::Back(field) if field == children.field)
            }
            _ => false,
        };
        index.search && are_these && searched.next().is_none()
    }

    /// The records that contain all words.
    fn containing(&self, search: &Search) -> Result<Admitted, QueryError> {
        let env = self.candidates.env;
        let mut all: Option<NumberSet> = None;
        let mut is_exact = true;
        for word in search.words() {
            if all.as_ref().is_some_and(NumberSet::is_empty) {
                break;
            }
            let found = self.index.containing_text(env.view, word)?;
            is_exact &= found.is_exact;
            intersect(&mut all, found.records);
        }
        let numbers = all.map_or_else(|| self.index.all(env.view), Ok)?;
        if !is_exact {
            return Ok(Admitted::at_most(numbers));
        }
        let Some((wall, children)) = env.context.wall().zip(self.index.children.as_ref()) else {
            return Ok(Admitted::exactly(numbers));
        };
        // Beyond it, looking at what has been found is cheaper.
        let n_max = numbers.len().saturating_mul(COST_OF_PLACE);
        let Some(partly) = wall.partly_hidden(env.view, children.table.def().name, n_max)? else {
            return Ok(Admitted::at_most(numbers));
        };
        let mut unsure = NumberSet::new();
        for id in partly {
            unsure.extend(self.index.number(env.view, &id)?);
        }
        unsure &= &numbers;
        Ok(Admitted { numbers, unsure })
    }
}
