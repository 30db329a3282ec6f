//! Orders: the records of a table by the value of a field, for pages of sorted lists.

use crate::{
    Direction, KeyBuf, NumberSet, Read, Record, Scan, Span, StoreError, Write, WriteKeys,
    key::{part_len, part_of},
    list_index::{ListIndex, Part},
    sort_key::SortKey,
};

/// Called with the id and the number of each record of an order.
pub type VisitNumber<'a> = dyn FnMut(&str, u32) -> Result<Scan, StoreError> + 'a;

/// Records with the same value that are held in memory to turn them round, when an order is read downwards.
const N_GATHERED_MAX: usize = 64;

/// Records with the same value, downwards.
#[derive(Default)]
struct Group {
    /// The beginning of their keys.
    head: Vec<u8>,
    entries: Vec<(String, u32)>,
}

impl Group {
    /// Visits them upwards, and forgets them; returns whether `visit` has stopped.
    fn visit(&mut self, visit: &mut VisitNumber<'_>) -> Result<bool, StoreError> {
        for (id, number) in self.entries.drain(..).rev() {
            if visit(&id, number)?.is_break() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl ListIndex {
    /// Are the records stored in the order of this field?
    pub fn has_order(&self, field: &str) -> bool {
        self.sorts.contains(&field)
    }

    fn order_key(&self, tx: &dyn Read, field: &str) -> KeyBuf {
        self.key(tx, Part::Sorts).part(field)
    }

    /// What the keys of all records with this value begin with.
    fn head_key(&self, tx: &dyn Read, field: &str, value: &SortKey) -> KeyBuf {
        self.order_key(tx, field).tail(&part_of(&value.ordered()))
    }

    fn entry_key(&self, tx: &dyn Read, field: &str, record: &dyn Record) -> Vec<u8> {
        let value = SortKey::of(record.def(), field, &record.scalar(field));
        self.head_key(tx, field, &value).tail(record.key().as_bytes()).into_bytes()
    }

    pub(super) fn sort(
        &self,
        tx: &mut dyn Write,
        field: &str,
        number: u32,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let entry = |it: &dyn Record| self.entry_key(tx, field, it);
        let (old, new) = (before.map(entry), after.map(entry));
        if old == new {
            return Ok(());
        }
        if let Some(old) = old {
            tx.delete(old);
        }
        if let Some(new) = new {
            tx.put(new, number.to_be_bytes().to_vec());
        }
        Ok(())
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
        let prefix = self.order_key(tx, field).into_bytes();
        let whole = Span::prefix(&prefix);
        // Reads upwards; returns whether `visit` has stopped.
        let read = |span: &Span, visit: &mut VisitNumber<'_>| {
            let mut is_stopped = false;
            tx.scan(span, Direction::Ascending, &mut |key, value| {
                let Some(n_value) = part_len(&key[prefix.len()..]) else { return Ok(Scan::Continue(())) };
                let id = String::from_utf8_lossy(&key[prefix.len() + n_value..]);
                let flow = visit(&id, self.read_number(key, value)?)?;
                is_stopped = flow.is_break();
                Ok(flow)
            })?;
            Ok::<bool, StoreError>(is_stopped)
        };
        let mut end = whole.end.clone();
        match (after, direction) {
            (None, Direction::Ascending) => return read(&whole, visit).map(drop),
            (None, Direction::Descending) => {}
            (Some((value, id)), _) => {
                let head = self.head_key(tx, field, value).into_bytes();
                let of_value = Span::prefix(&head);
                let rest = if direction == Direction::Ascending { whole } else { of_value };
                let entry = [&head[..], id.as_bytes()].concat();
                if read(&rest.beyond(&entry, Direction::Ascending), visit)?
                    || direction == Direction::Ascending
                {
                    return Ok(());
                }
                end = Some(head);
            }
        }
        // Downwards, and upwards within a value. The entries of one value are gathered, unless they are many:
        // these are read again.
        loop {
            let below = Span { start: prefix.clone(), end: end.clone() };
            let (mut group, mut is_stopped, mut is_large) = (Group::default(), false, false);
            tx.scan(&below, Direction::Descending, &mut |key, value| {
                let Some(n_value) = part_len(&key[prefix.len()..]) else { return Ok(Scan::Continue(())) };
                let (head, id) = key.split_at(prefix.len() + n_value);
                if head != group.head {
                    is_stopped = group.visit(visit)?;
                    group.head = head.to_vec();
                }
                let id = String::from_utf8_lossy(id).into_owned();
                group.entries.push((id, self.read_number(key, value)?));
                is_large = group.entries.len() > N_GATHERED_MAX;
                Ok(if is_stopped || is_large { Scan::Break(()) } else { Scan::Continue(()) })
            })?;
            if is_stopped || !is_large {
                return if is_stopped { Ok(()) } else { group.visit(visit).map(drop) };
            }
            if read(&Span::prefix(&group.head), visit)? {
                return Ok(());
            }
            end = Some(group.head);
        }
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
        let head = |it: &SortKey| self.head_key(tx, field, it).into_bytes();
        let span = Span { start: head(from), end: Some(head(until)) };
        let (mut numbers, mut is_too_large) = (NumberSet::new(), false);
        tx.scan(&span, Direction::Ascending, &mut |key, value| {
            is_too_large = numbers.len() >= n_max;
            if is_too_large {
                return Ok(Scan::Break(()));
            }
            numbers.insert(self.read_number(key, value)?);
            Ok(Scan::Continue(()))
        })?;
        Ok((!is_too_large).then_some(numbers))
    }
}
