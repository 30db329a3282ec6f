//! Sets of ids that know their size: the candidate sources of lists (an index, a link, a union).

use std::{collections::BTreeSet, ops::Bound};

use atoll_storage::{Direction, ListIndex, NumberSet, Read, Scan, StoreError, TableSource, count_up_to};

use crate::list::N_FEW;

/// Ids that are read to find the size of a set whose count is not kept. What has more is large.
const N_COUNTED_MAX: u64 = 1000;

/// A set of ids in ascending order that knows its size: an index, a link, the listing of a channel.
pub trait Ids {
    /// The exact number of ids.
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError>;

    /// Calls `visit` with each id after `after`, until it breaks.
    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// Is the count kept? Otherwise the set is small as a rule, and read to be counted.
    fn is_counted(&self) -> bool {
        true
    }

    /// Reads at most `n_max` of the ids; returns their number.
    fn count_up_to(&self, view: &dyn Read, n_max: u64) -> Result<u64, StoreError> {
        count_up_to(n_max, |next| self.scan(view, None, Direction::Ascending, &mut |_| Ok(next())))
    }

    /// Upper bound of `count`, for sets whose exact count is expensive.
    fn at_most(&self, view: &dyn Read) -> Result<u64, StoreError> {
        if self.is_counted() {
            return self.count(view);
        }
        let n = self.count_up_to(view, N_COUNTED_MAX + 1)?;
        Ok(if n > N_COUNTED_MAX { u64::MAX } else { n })
    }

    /// Does a scan read no more than it visits?
    fn is_ordered(&self) -> bool {
        true
    }

    /// Is the set kept as numbers of the records in this list index?
    fn has_numbers(&self, _: &'static ListIndex) -> bool {
        false
    }

    /// The same set, as the numbers of the records in this list index; `None` if it is not kept like this.
    fn numbers(&self, _: &dyn Read, _: &'static ListIndex) -> Result<Option<NumberSet>, StoreError> {
        Ok(None)
    }

    /// Is this one of them?
    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError>;
}

/// The union of several sets. A union of one set costs what that set costs; several are read whole.
pub struct Union(pub Vec<Box<dyn Ids>>);

impl Union {
    fn union(&self, view: &dyn Read) -> Result<BTreeSet<String>, StoreError> {
        let mut all = BTreeSet::new();
        for ids in &self.0 {
            all.extend(read(view, &**ids)?);
        }
        Ok(all)
    }
}

impl Ids for Union {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        match &self.0[..] {
            [one] => one.count(view),
            _ => Ok(self.union(view)?.len() as u64),
        }
    }

    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        match &self.0[..] {
            [one] => one.scan(view, after, direction, visit),
            _ => IdSet(self.union(view)?).scan(view, after, direction, visit),
        }
    }

    fn is_counted(&self) -> bool {
        self.0.iter().all(|it| it.is_counted())
    }

    fn at_most(&self, view: &dyn Read) -> Result<u64, StoreError> {
        self.0.iter().try_fold(0, |sum: u64, ids| Ok(sum.saturating_add(ids.at_most(view)?)))
    }

    fn is_ordered(&self) -> bool {
        self.0.len() == 1 && self.0[0].is_ordered()
    }

    fn has_numbers(&self, index: &'static ListIndex) -> bool {
        self.0.iter().all(|ids| ids.has_numbers(index))
    }

    fn numbers(&self, view: &dyn Read, index: &'static ListIndex) -> Result<Option<NumberSet>, StoreError> {
        let mut all = NumberSet::new();
        for ids in &self.0 {
            let Some(numbers) = numbers_of(view, &**ids, index)? else { return Ok(None) };
            all |= numbers;
        }
        Ok(Some(all))
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        for ids in &self.0 {
            if ids.contains(view, id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The rows of a table with one value in an indexed field.
pub struct Where {
    /// The table that is searched.
    pub table: &'static dyn TableSource,
    /// A field of the table that has an index.
    pub field: &'static str,
    /// The value, as the index stores it.
    pub value: String,
}

impl Ids for Where {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        self.table.count_where(view, self.field, &self.value)
    }

    fn is_counted(&self) -> bool {
        self.table.counts(self.field)
    }

    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.table.ids_where(view, self.field, &self.value, after, direction, visit)
    }

    fn has_numbers(&self, index: &'static ListIndex) -> bool {
        self.table.def().name == index.def().name && index.has_filter(self.field)
    }

    fn numbers(&self, view: &dyn Read, index: &'static ListIndex) -> Result<Option<NumberSet>, StoreError> {
        self.has_numbers(index).then(|| index.with_value(view, self.field, &self.value)).transpose()
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        self.table.is_where(view, self.field, &self.value, id)
    }
}

/// A set in memory, such as the ids that a filter names. Ids without a record may be among them.
pub(crate) struct IdSet(pub(crate) BTreeSet<String>);

impl Ids for IdSet {
    fn count(&self, _: &dyn Read) -> Result<u64, StoreError> {
        Ok(self.0.len() as u64)
    }

    fn scan(
        &self,
        _: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let beyond = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut ids: Box<dyn Iterator<Item = &String>> = match direction {
            Direction::Ascending => Box::new(self.0.range::<str, _>((beyond, Bound::Unbounded))),
            Direction::Descending => Box::new(self.0.range::<str, _>((Bound::Unbounded, beyond)).rev()),
        };
        ids.try_for_each(|id| if visit(id)?.is_break() { Err(None) } else { Ok(()) })
            .or_else(|stop| stop.map_or(Ok(()), Err))
    }

    fn contains(&self, _: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(self.0.contains(id))
    }
}

/// The union of some sets. If their count is not kept, and they are few as is the rule then, they are read,
/// so that no later step reads them again.
pub(crate) fn united(view: &dyn Read, sets: Vec<Box<dyn Ids>>) -> Result<Box<dyn Ids>, StoreError> {
    let union = Union(sets);
    if union.is_counted() {
        return Ok(Box::new(union));
    }
    let mut few = BTreeSet::new();
    for ids in &union.0 {
        ids.scan(view, None, Direction::Ascending, &mut |id| {
            few.insert(id.to_owned());
            Ok(if few.len() as u64 > N_FEW { Scan::Break(()) } else { Scan::Continue(()) })
        })?;
        if few.len() as u64 > N_FEW {
            return Ok(Box::new(union));
        }
    }
    Ok(Box::new(IdSet(few)))
}

/// Records whose numbers are looked up one by one, where no set of numbers is kept.
const N_LOOKED_UP_MAX: u64 = 1000;

/// A set as the numbers of the records in a list index; `None` if it is not kept like this, and large.
pub(crate) fn numbers_of(
    view: &dyn Read,
    ids: &dyn Ids,
    index: &'static ListIndex,
) -> Result<Option<NumberSet>, StoreError> {
    if let Some(numbers) = ids.numbers(view, index)? {
        return Ok(Some(numbers));
    }
    if ids.at_most(view)? > N_LOOKED_UP_MAX {
        return Ok(None);
    }
    let mut numbers = NumberSet::new();
    ids.scan(view, None, Direction::Ascending, &mut |id| {
        numbers.extend(index.number(view, id)?);
        Ok(Scan::Continue(()))
    })?;
    Ok(Some(numbers))
}

/// Reads a whole set.
pub(crate) fn read(view: &dyn Read, ids: &dyn Ids) -> Result<Vec<String>, StoreError> {
    let mut all = Vec::new();
    ids.scan(view, None, Direction::Ascending, &mut |id| {
        all.push(id.to_owned());
        Ok(Scan::Continue(()))
    })?;
    Ok(all)
}
