//! Orders: the records of a table by the value of a field, for pages of sorted lists.

use crate::{
    Direction, NumberSet, Read, Record, Scan, Span, StoreError, Write, WriteKeys,
    key::{part_len, part_of, split_part},
    list_index::{ListIndex, Part},
    sort_key::SortKey,
};

/// The order of the ids, which is that of the numbers' keys. No field of a record has this name.
pub(super) const BY_ID: &str = "";

/// Called with the id and the number of each record of an order.
pub type VisitNumber<'a> = dyn FnMut(&str, u32) -> Result<Scan, StoreError> + 'a;

/// Records with the same value that are held in memory to turn them round, when an order is read downwards.
const N_GATHERED_MAX: usize = 64;

/// A record in an order.
pub(super) struct Entry<'e> {
    /// Its value, as a terminated part; nothing in the order of the ids.
    value: &'e [u8],
    pub(super) id: &'e str,
    pub(super) number: u32,
}

/// Called with each record of an order.
pub(super) type VisitEntry<'a> = dyn FnMut(&Entry<'_>) -> Result<Scan, StoreError> + 'a;

/// Records with the same value, downwards.
#[derive(Default)]
struct Group {
    /// The beginning of their keys.
    head: Vec<u8>,
    entries: Vec<(String, u32)>,
}

impl Group {
    /// Visits them upwards, and forgets them; returns whether `visit` has stopped.
    fn visit(&mut self, value: usize, visit: &mut VisitEntry<'_>) -> Result<bool, StoreError> {
        for (id, number) in self.entries.drain(..).rev() {
            let entry = Entry { value: &self.head[value..], id: &id, number };
            if visit(&entry)?.is_break() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A position in an order: the value as a terminated part, and the id behind it. Of the order of the ids the
/// id is the value. Positions compare as the keys of the entries do.
pub(super) type Place = Vec<u8>;

/// The part of a place that is the value.
pub(super) fn value_of(place: &[u8]) -> &[u8] {
    &place[..part_len(place).unwrap_or(0)]
}

/// The places from `low` on, and before `high`.
#[derive(Default)]
pub(super) struct Stretch {
    pub(super) low: Place,
    pub(super) high: Option<Place>,
}

/// One order of the records of a table.
pub(super) struct Order<'i> {
    pub(super) index: &'i ListIndex,
    pub(super) field: &'i str,
    /// What the keys of the entries begin with.
    prefix: Vec<u8>,
}

impl Order<'_> {
    pub(super) fn is_by_id(&self) -> bool {
        self.field == BY_ID
    }

    /// The place of the record with this value and this id.
    pub(super) fn place(&self, value: &SortKey, id: &str) -> Place {
        match self.is_by_id() {
            true => part_of(id.as_bytes()),
            false => [&part_of(&value.ordered())[..], id.as_bytes()].concat(),
        }
    }

    pub(super) fn place_of(&self, record: &dyn Record) -> Place {
        let value = match self.is_by_id() {
            true => SortKey::Null,
            false => SortKey::of(record.def(), self.field, &record.scalar(self.field)),
        };
        self.place(&value, record.key())
    }

    pub(super) fn place_of_entry(&self, entry: &Entry<'_>) -> Place {
        match self.is_by_id() {
            true => part_of(entry.id.as_bytes()),
            false => [entry.value, entry.id.as_bytes()].concat(),
        }
    }

    /// The key of the entry at this place.
    pub(super) fn key(&self, place: &[u8]) -> Vec<u8> {
        match split_part(place) {
            Some((id, _)) if self.is_by_id() => [&self.prefix[..], id.as_bytes()].concat(),
            _ => [&self.prefix[..], place].concat(),
        }
    }

    /// Visits the entries of a stretch, behind the place `after`, which is in it. Records with the same value
    /// are ordered by their ids, ascending in both directions: a stretch that is read downwards has all of
    /// them, or none. Returns whether `visit` has stopped.
    pub(super) fn entries(
        &self,
        tx: &dyn Read,
        stretch: &Stretch,
        after: Option<&[u8]>,
        direction: Direction,
        visit: &mut VisitEntry<'_>,
    ) -> Result<bool, StoreError> {
        let high = stretch.high.as_ref().map(|it| self.key(it));
        let end = high.or_else(|| Span::prefix(&self.prefix).end);
        let whole = Span { start: self.key(&stretch.low), end };
        if self.is_by_id() || direction == Direction::Ascending {
            let rest = match after {
                Some(after) => whole.beyond(&self.key(after), direction),
                None => whole,
            };
            return self.read(tx, &rest, direction, visit);
        }
        let Some(after) = after else { return self.downwards(tx, whole, visit) };
        let head = self.key(value_of(after));
        let of_value = Span::prefix(&head).beyond(&self.key(after), Direction::Ascending);
        if self.read(tx, &of_value, Direction::Ascending, visit)? {
            return Ok(true);
        }
        self.downwards(tx, Span { end: Some(head), ..whole }, visit)
    }

    /// Reads entries as their keys are ordered; returns whether `visit` has stopped.
    fn read(
        &self,
        tx: &dyn Read,
        span: &Span,
        direction: Direction,
        visit: &mut VisitEntry<'_>,
    ) -> Result<bool, StoreError> {
        let mut is_stopped = false;
        tx.scan(span, direction, &mut |key, value| {
            let Some(n_head) = self.n_head(key) else { return Ok(Scan::Continue(())) };
            let (head, id) = key.split_at(n_head);
            let number = self.index.read_number(key, value)?;
            let id = String::from_utf8_lossy(id);
            let flow = visit(&Entry { value: &head[self.prefix.len()..], id: &id, number })?;
            is_stopped = flow.is_break();
            Ok(flow)
        })?;
        Ok(is_stopped)
    }

    /// The length of the key of an entry without the id.
    fn n_head(&self, key: &[u8]) -> Option<usize> {
        let n_prefix = self.prefix.len();
        if self.is_by_id() { Some(n_prefix) } else { part_len(&key[n_prefix..]).map(|it| n_prefix + it) }
    }

    /// Reads entries downwards, and upwards within a value. The entries of one value are gathered, unless
    /// they are many: these are read again.
    fn downwards(
        &self,
        tx: &dyn Read,
        mut span: Span,
        visit: &mut VisitEntry<'_>,
    ) -> Result<bool, StoreError> {
        let n_prefix = self.prefix.len();
        loop {
            let (mut group, mut is_stopped, mut is_large) = (Group::default(), false, false);
            tx.scan(&span, Direction::Descending, &mut |key, value| {
                let Some(n_head) = self.n_head(key) else { return Ok(Scan::Continue(())) };
                let (head, id) = key.split_at(n_head);
                if head != group.head {
                    is_stopped = group.visit(n_prefix, visit)?;
                    group.head = head.to_vec();
                }
                let id = String::from_utf8_lossy(id).into_owned();
                group.entries.push((id, self.index.read_number(key, value)?));
                is_large = group.entries.len() > N_GATHERED_MAX;
                Ok(if is_stopped || is_large { Scan::Break(()) } else { Scan::Continue(()) })
            })?;
            if is_stopped || !is_large {
                return if is_stopped { Ok(true) } else { group.visit(n_prefix, visit) };
            }
            if self.read(tx, &Span::prefix(&group.head), Direction::Ascending, visit)? {
                return Ok(true);
            }
            span.end = Some(group.head);
        }
    }
}

impl ListIndex {
    /// Are the records stored in the order of this field?
    pub fn has_order(&self, field: &str) -> bool {
        self.sorts.contains(&field)
    }

    /// The order of a field, or [`BY_ID`].
    pub(super) fn order<'i>(&'i self, tx: &dyn Read, field: &'i str) -> Order<'i> {
        let prefix = match field {
            BY_ID => self.number_key(tx, Part::Records, ""),
            _ => self.key(tx, Part::Sorts).part(field).into_bytes(),
        };
        Order { index: self, field, prefix }
    }

    pub(super) fn sort(
        &self,
        tx: &mut dyn Write,
        field: &str,
        number: u32,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let order = self.order(tx, field);
        let place = |it: &dyn Record| order.place_of(it);
        let (old, new) = (before.map(place), after.map(place));
        if old == new {
            return Ok(());
        }
        let blocks = self.blocks_of(tx, &order);
        if let Some(old) = old {
            tx.delete(order.key(&old));
            blocks.iter().try_for_each(|it| it.leave(tx, &old, number))?;
        }
        if let Some(new) = new {
            blocks.iter().try_for_each(|it| it.enter(tx, &new, number))?;
            tx.put(order.key(&new), number.to_be_bytes().to_vec());
        }
        Ok(())
    }

    /// Adds a record to the order of the ids, or removes it. Its entry there is the number, which stays.
    pub(super) fn enlist(
        &self,
        tx: &mut dyn Write,
        number: u32,
        record: &dyn Record,
        is_in: bool,
    ) -> Result<(), StoreError> {
        let order = self.order(tx, BY_ID);
        let Some(blocks) = self.blocks_of(tx, &order) else { return Ok(()) };
        let place = order.place_of(record);
        if is_in { blocks.enter(tx, &place, number) } else { blocks.leave(tx, &place, number) }
    }

    /// Calls `visit` with the id and number of each record in the order of the field, after the record with
    /// the value and the id of `after`. Records with the same value are ordered by their ids, ascending in
    /// both directions.
    pub fn by_field(
        &self,
        tx: &dyn Read,
        field: &str,
        after: Option<(&SortKey, &str)>,
        direction: Direction,
        visit: &mut VisitNumber<'_>,
    ) -> Result<(), StoreError> {
        let order = self.order(tx, field);
        let after = after.map(|(value, id)| order.place(value, id));
        let mut visit = |it: &Entry<'_>| visit(it.id, it.number);
        order.entries(tx, &Stretch::default(), after.as_deref(), direction, &mut visit).map(drop)
    }

    /// As [`ListIndex::by_field`], in the order of the ids; also those of records that were deleted.
    pub fn by_id(
        &self,
        tx: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut VisitNumber<'_>,
    ) -> Result<(), StoreError> {
        let after = after.map(|id| (&SortKey::Null, id));
        self.by_field(tx, BY_ID, after, direction, visit)
    }

    /// The records with a value from `from` on and below `until`; `None` if they are more than `n_max`. Those
    /// without a value are not among them.
    pub fn between(
        &self,
        tx: &dyn Read,
        field: &str,
        from: &SortKey,
        until: &SortKey,
        n_max: u64,
    ) -> Result<Option<NumberSet>, StoreError> {
        let order = self.order(tx, field);
        let stretch = Stretch { low: order.place(from, ""), high: Some(order.place(until, "")) };
        let (mut numbers, mut is_too_large) = (NumberSet::new(), false);
        order.entries(tx, &stretch, None, Direction::Ascending, &mut |entry| {
            is_too_large = numbers.len() >= n_max;
            if is_too_large {
                return Ok(Scan::Break(()));
            }
            numbers.insert(entry.number);
            Ok(Scan::Continue(()))
        })?;
        Ok((!is_too_large).then_some(numbers))
    }
}
