//! Orders: the records of a table by the value of a field, for pages of sorted lists.

use crate::{
    Direction, KeyBuf, Read, Record, Scan, Span, StoreError, Write, WriteKeys,
    key::{part_len, part_of},
    list_index::{ListIndex, Part},
    sort_key::SortKey,
};

/// A place in an order: the value of the field as it is sorted, and the id of a record. Records with the same
/// value are ordered by their ids, ascending in both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The value, as bytes in the same order.
    pub value: Vec<u8>,
    /// The id of the record.
    pub id: String,
}

impl Position {
    /// The place of a record in the order of a field.
    pub fn of(record: &dyn Record, field: &str) -> Position {
        Position { value: ordered(record, field), id: record.key().to_owned() }
    }
}

/// The bytes of a field's value in its order.
fn ordered(record: &dyn Record, field: &str) -> Vec<u8> {
    SortKey::of(record.def(), field, &record.scalar(field)).ordered()
}

impl ListIndex {
    /// Are the records stored in the order of this field?
    pub fn has_order(&self, field: &str) -> bool {
        self.sorts.contains(&field)
    }

    fn order_key(&self, tx: &dyn Read, field: &str) -> KeyBuf {
        self.key(tx, Part::Sorts).part(field)
    }

    fn entry_key(&self, tx: &dyn Read, field: &str, value: &[u8], id: &str) -> Vec<u8> {
        self.order_key(tx, field).tail(&part_of(value)).tail(id.as_bytes()).into_bytes()
    }

    pub(super) fn sort(
        &self,
        tx: &mut dyn Write,
        field: &str,
        number: u32,
        before: Option<&dyn Record>,
        after: Option<&dyn Record>,
    ) -> Result<(), StoreError> {
        let entry = |tx: &dyn Read, it: &dyn Record| self.entry_key(tx, field, &ordered(it, field), it.key());
        let (old, new) = (before.map(|it| entry(tx, it)), after.map(|it| entry(tx, it)));
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

    /// Calls `visit` with the number of each record after `after`, in the order of the field.
    pub fn by_field(
        &self,
        tx: &dyn Read,
        field: &str,
        after: Option<&Position>,
        direction: Direction,
        visit: &mut dyn FnMut(&str, u32) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let prefix = self.order_key(tx, field).into_bytes();
        let whole = Span::prefix(&prefix);
        let group_of = |value: &[u8]| [&prefix[..], &part_of(value)].concat();
        // Reads upwards; returns whether `visit` has stopped.
        let mut read = |span: &Span| {
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
        if direction == Direction::Ascending {
            let span = match after {
                Some(it) => whole.beyond(&self.entry_key(tx, field, &it.value, &it.id), direction),
                None => whole,
            };
            return read(&span).map(drop);
        }
        // Downwards group by group, and each group upwards: ids ascend within a value.
        let mut end = whole.end.clone();
        if let Some(it) = after {
            let group = group_of(&it.value);
            let span = Span::prefix(&group)
                .beyond(&self.entry_key(tx, field, &it.value, &it.id), Direction::Ascending);
            if read(&span)? {
                return Ok(());
            }
            end = Some(group);
        }
        loop {
            let mut last = None;
            let below = Span { start: prefix.clone(), end: end.clone() };
            tx.scan(&below, Direction::Descending, &mut |key, _| {
                last = part_len(&key[prefix.len()..]).map(|n| key[..prefix.len() + n].to_vec());
                Ok(Scan::Break(()))
            })?;
            let Some(group) = last else { return Ok(()) };
            if read(&Span::prefix(&group))? {
                return Ok(());
            }
            end = Some(group);
        }
    }
}
