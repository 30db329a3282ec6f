//! The pairs of a link: attaching, detaching and changing them, reading them from either end, and how a row
//! is stored.

use std::collections::HashSet;

use atoll_storage::{
    KeyBuf, Span, WriteKeys, add_to_group, decode_version, encode_version, upgrade, version,
};
use serde_json::{Map, Value};

use super::{Link, LinkError, LinkRecord, LinkRow, Side, by_side};
use crate::{
    Moment, Read, Registry, StoreError, Write,
    data::{Change, Direction, FieldValue, Record, Scan, Space},
    projection::{announce, project},
};

impl Link {
    /// False if a module at one of its ends is switched off: it has no pairs then, and takes none. Its rows
    /// stay in the data, and count again when the module is switched on.
    pub fn is_on(&self) -> bool {
        !Registry::get().left_out.has_link(self)
    }

    /// Creates the pair, or changes its columns. Both ends must exist. True if the pair is new.
    pub fn attach(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        right: &str,
        columns: Map<String, Value>,
    ) -> Result<bool, LinkError> {
        if let Some(before) = self.row(tx, left, right)? {
            let mut row = before.clone();
            row.data.extend(columns);
            if row.data != before.data {
                row.updated_at = at.now();
                self.put(tx, left, right, &row);
                let (before, after) = (self.record(left, right, before), self.record(left, right, row));
                announce(tx, at, &Change { of: self.name, before: Some(&before), after: Some(&after) })?;
            }
            return Ok(false);
        }
        self.check(tx, left, right, 0)?;
        self.enter_all(tx, at, &[self.record(left, right, self.new_row(at, columns))])?;
        Ok(true)
    }

    /// The row of a new pair.
    pub(super) fn new_row(&self, at: &Moment, columns: Map<String, Value>) -> LinkRow {
        let mut data: Map<String, Value> =
            self.columns.iter().map(|it| (it.name.into(), (it.default)())).collect();
        data.extend(columns);
        let id = format!("{}_{}", self.prefix, &at.id::<RowKind>()[1..]);
        LinkRow { id, data, created_at: at.now(), updated_at: at.now() }
    }

    /// Checks that both ends exist, and that an end which may have one partner has at most `n_others`.
    pub(crate) fn check(
        &self,
        tx: &dyn Read,
        left: &str,
        right: &str,
        n_others: u64,
    ) -> Result<(), LinkError> {
        if !self.is_on() {
            return Err(LinkError::Off(self.name));
        }
        for (end, id) in [(&self.left, left), (&self.right, right)] {
            let table = Registry::graph().table(end.entity);
            if !table.has(tx, id)? {
                return Err(LinkError::NoEnd { label: table.def().words(), id: id.to_owned() });
            }
        }
        let is_taken = |side, id| -> Result<bool, StoreError> {
            let group = Span::prefix(&self.group(tx, side, id));
            Ok(!self.end(side).many && tx.count_keys(&group, n_others + 1)? > n_others)
        };
        if is_taken(Side::Left, left)? || is_taken(Side::Right, right)? {
            return Err(LinkError::Taken { left: self.left.entity, right: self.right.entity });
        }
        Ok(())
    }

    /// Removes the pair, and no record. True if it existed.
    pub fn detach(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        right: &str,
    ) -> Result<bool, StoreError> {
        match self.row(tx, left, right)? {
            Some(row) => self.leave_all(tx, at, &[self.record(left, right, row)]).map(|()| true),
            None => Ok(false),
        }
    }

    /// The row of the pair, if it exists.
    pub fn row(&self, tx: &dyn Read, left: &str, right: &str) -> Result<Option<LinkRow>, StoreError> {
        if !self.is_on() {
            return Ok(None);
        }
        let bytes = tx.get(&self.key(tx, Side::Left, left, right))?;
        bytes.map(|bytes| self.decode(left, &bytes)).transpose()
    }

    /// True if the pair exists. Reads one key.
    pub fn has(&self, tx: &dyn Read, left: &str, right: &str) -> Result<bool, StoreError> {
        Ok(self.is_on() && tx.get(&self.key(tx, Side::Left, left, right))?.is_some())
    }

    /// Ids at the right end that `left` is linked to, ascending.
    pub fn rights(&self, tx: &dyn Read, left: &str) -> Result<Vec<String>, StoreError> {
        self.others(tx, Side::Left, left)
    }

    /// Ids at the left end that `right` is linked to, ascending.
    pub fn lefts(&self, tx: &dyn Read, right: &str) -> Result<Vec<String>, StoreError> {
        self.others(tx, Side::Right, right)
    }

    /// The rows of `left`, each with its id at the right end.
    pub fn rows_of(&self, tx: &dyn Read, left: &str) -> Result<Vec<(String, LinkRow)>, StoreError> {
        let mut rows = Vec::new();
        if !self.is_on() {
            return Ok(rows);
        }
        let group = self.group(tx, Side::Left, left);
        tx.scan(&Span::prefix(&group), Direction::Ascending, &mut |key, value| {
            let right = String::from_utf8_lossy(&key[group.len()..]).into_owned();
            rows.push((right, self.decode(left, value)?));
            Ok(Scan::Continue(()))
        })?;
        Ok(rows)
    }

    /// Replaces the pairs of `left`: it is linked to exactly these afterwards.
    pub fn replace(
        &'static self,
        tx: &mut dyn Write,
        at: &Moment,
        left: &str,
        rights: &[String],
    ) -> Result<(), LinkError> {
        let kept: HashSet<&String> = rights.iter().collect();
        for right in self.rights(tx, left)? {
            if !kept.contains(&right) {
                self.detach(tx, at, left, &right)?;
            }
        }
        for right in rights {
            self.attach(tx, at, left, right, Map::new())?;
        }
        Ok(())
    }

    /// Serialises a row.
    pub(super) fn encode(&self, row: &LinkRow) -> Vec<u8> {
        encode_version(version(self.history), const { LinkRow::KIND.shape_number() }, row)
    }

    /// Deserialises a row of the current or an earlier version. `key` is for error messages.
    pub(super) fn decode(&self, key: &str, bytes: &[u8]) -> Result<LinkRow, StoreError> {
        let (version, shape) = (version(self.history), const { LinkRow::KIND.shape_number() });
        decode_version(self.name, key, bytes, version, shape, |from, row| match row.get_mut("data") {
            Some(Value::Object(columns)) => upgrade(self.history, from, columns),
            _ => Ok(()),
        })
    }

    /// The row, serialised in the current version.
    pub(crate) fn as_of_now(&self, key: &str, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.encode(&self.decode(key, bytes)?))
    }

    pub(super) fn others(&self, tx: &dyn Read, side: Side, id: &str) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        self.scan(tx, side, id, None, Direction::Ascending, &mut |other| {
            ids.push(other.to_owned());
            Ok(Scan::Continue(()))
        })?;
        Ok(ids)
    }

    pub(super) fn scan(
        &self,
        tx: &dyn Read,
        side: Side,
        id: &str,
        after: Option<&str>,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        if !self.is_on() {
            return Ok(());
        }
        let group = self.group(tx, side, id);
        let mut span = Span::prefix(&group);
        if let Some(other) = after {
            span = span.beyond(&[&group, other.as_bytes()].concat(), order);
        }
        tx.scan(&span, order, &mut |key, _| visit(&String::from_utf8_lossy(&key[group.len()..])))
    }

    pub(super) fn space(&self, side: Side) -> Space {
        match side {
            Side::Left => self.name,
            Side::Right => self.reverse,
        }
    }

    pub(super) fn group(&self, tx: &dyn Read, side: Side, id: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space(side))).part(id).into_bytes()
    }

    pub(super) fn key(&self, tx: &dyn Read, side: Side, id: &str, other: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(self.space(side))).part(id).tail(other.as_bytes()).into_bytes()
    }

    pub(super) fn put(&self, tx: &mut dyn Write, left: &str, right: &str, row: &LinkRow) {
        let key = self.key(tx, Side::Left, left, right);
        tx.put(key, self.encode(row));
    }

    pub(super) fn write_pair(
        &self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        row: &LinkRow,
    ) -> Result<(), StoreError> {
        self.put(tx, left, right, row);
        let key = self.key(tx, Side::Right, right, left);
        tx.put(key, Vec::new());
        self.count_pair(tx, left, right, 1)
    }

    /// Adds to the counter of the end that is counted.
    pub(super) fn count_pair(
        &self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        by: i64,
    ) -> Result<(), StoreError> {
        match self.counted {
            Some(side) => add_to_group(tx, self.space(side), &[by_side(side, left, right).0], by),
            None => Ok(()),
        }
    }

    fn remove_pair(&self, tx: &mut dyn Write, left: &str, right: &str) -> Result<(), StoreError> {
        let key = self.key(tx, Side::Left, left, right);
        tx.delete(key);
        let key = self.key(tx, Side::Right, right, left);
        tx.delete(key);
        self.count_pair(tx, left, right, -1)
    }

    /// Restores the row of a pair to an earlier state, or removes the pair if it did not exist then. Emits no
    /// event, since this is an undo.
    pub(crate) fn put_back(
        &'static self,
        tx: &mut dyn Write,
        left: &str,
        right: &str,
        before: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let now = self.row(tx, left, right)?;
        let then: Option<LinkRow> = before.map(|bytes| self.decode(left, bytes)).transpose()?;
        match (&now, &then) {
            (None, Some(then)) => self.write_pair(tx, left, right, then)?,
            (Some(_), None) => self.remove_pair(tx, left, right)?,
            (Some(_), Some(then)) => self.put(tx, left, right, then),
            (None, None) => {}
        }
        let record = |row: LinkRow| self.record(left, right, row);
        let (now, then) = (now.map(record), then.map(record));
        let change = Change {
            of: self.name,
            before: now.as_ref().map(|it| it as &dyn Record),
            after: then.as_ref().map(|it| it as &dyn Record),
        };
        project(tx, &change)
    }

    pub(crate) fn record(&'static self, left: &str, right: &str, row: LinkRow) -> LinkRecord {
        LinkRecord { link: self, left: left.to_owned(), right: right.to_owned(), row }
    }
}

struct RowKind;

impl crate::Kind for RowKind {
    const PREFIX: &'static str = "";
}
