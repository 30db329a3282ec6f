//! Secondary indexes of a table: key extraction, unique constraints, entry counters, look-ups.

use atoll_values::Timestamp;

use crate::{
    Direction, Entity, KeyBuf, Read, RowError, Scan, Space, Span, StoreError, Write, WriteKeys,
    key::{group_key, split_part},
    look_up::scan_each,
    sequence::{add, counter_key, read_number},
};

/// A secondary index over the live rows, or over the soft-deleted rows.
pub struct Index<T> {
    /// The space of the index: `product.by_handle`.
    pub space: Space,
    /// The fields of a key, in order. A filter on the first one can use the index.
    pub fields: &'static [&'static str],
    /// Unique constraint: no two live rows may have the same key.
    pub unique: bool,
    /// The version of `keys`. Increment it when `keys` changes for the same fields; the index is then
    /// rebuilt.
    pub version: u16,
    /// Does it index the soft-deleted rows instead of the live ones?
    pub of_deleted: bool,
    /// Is the number of rows per key kept?
    pub counted: bool,
    /// Extracts the keys of a row. A row without keys is not in the index.
    pub keys: fn(&T, &mut Keys),
}

impl<T> Index<T> {
    /// A non-unique index, of few rows per key: to count them, they are read.
    pub const fn on(space: Space, fields: &'static [&'static str], keys: fn(&T, &mut Keys)) -> Self {
        Index { space, fields, unique: false, version: 1, of_deleted: false, counted: false, keys }
    }

    /// A non-unique index of few keys with many rows each, whose numbers lists ask for: they are kept, in a
    /// counter per key.
    pub const fn counted(space: Space, fields: &'static [&'static str], keys: fn(&T, &mut Keys)) -> Self {
        Index { counted: true, ..Index::on(space, fields, keys) }
    }

    /// A unique index.
    pub const fn unique(space: Space, fields: &'static [&'static str], keys: fn(&T, &mut Keys)) -> Self {
        Index { unique: true, ..Index::on(space, fields, keys) }
    }

    /// A non-unique index of soft-deleted rows, to find the rows that were deleted with a record (cascade)
    /// without a scan of all deleted rows. Lists do not use it.
    pub const fn on_deleted(space: Space, fields: &'static [&'static str], keys: fn(&T, &mut Keys)) -> Self {
        Index { of_deleted: true, ..Index::on(space, fields, keys) }
    }

    /// Sets the version of the key extraction. See the field `version`.
    pub const fn version(self, version: u16) -> Self {
        Index { version, ..self }
    }
}

/// The definition of an index, type-erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// The space of the index.
    pub space: Space,
    /// The fields of a key, in order.
    pub fields: &'static [&'static str],
    /// Unique constraint: no two live rows may have the same key.
    pub unique: bool,
    /// The version of the key extraction.
    pub version: u16,
    /// Does it index the soft-deleted rows instead of the live ones?
    pub of_deleted: bool,
    /// Is the number of rows per key kept?
    pub counted: bool,
}

/// A violation of a unique constraint: rows with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// `sku: T-1`, joined by commas.
    pub values: String,
    /// The ids of the rows.
    pub ids: Vec<String>,
}

/// Collects the keys of one row for one index.
#[derive(Debug, Default)]
pub struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// Adds a key with these parts.
    pub fn add(&mut self, parts: &[&str]) {
        self.0.push(group_key(parts));
    }

    /// Adds a key of a text and a time, unless the time is `None`.
    pub fn add_at(&mut self, part: &str, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.add(&[part, &at.to_string()]);
        }
    }

    /// Adds a key with one part, unless it is `None`.
    pub fn add_some(&mut self, part: Option<&str>) {
        if let Some(part) = part {
            self.add(&[part]);
        }
    }
}

impl<T: Entity> Index<T> {
    pub(crate) fn keys_of(&self, row: &T) -> Vec<Vec<u8>> {
        let mut keys = Keys::default();
        (self.keys)(row, &mut keys);
        keys.0.sort_unstable();
        keys.0.dedup();
        keys.0
    }

    pub(crate) fn entry(&self, tx: &dyn Read, key: &[u8], row: &T) -> Vec<u8> {
        let entry = KeyBuf::new(tx.prefix(self.space)).tail(key);
        if self.unique { entry.into_bytes() } else { entry.tail(row.id().as_bytes()).into_bytes() }
    }

    pub(super) fn enter(&self, tx: &mut dyn Write, key: &[u8], row: &T) -> Result<(), RowError> {
        if !self.unique {
            return Ok(self.enter_shared(tx, key, row)?);
        }
        let entry = self.entry(tx, key, row);
        if tx.get(&entry)?.is_some() {
            return Err(self.duplicate(row));
        }
        tx.put(entry, row.id().as_bytes().to_vec());
        Ok(())
    }

    /// Adds all entries of a row.
    pub(super) fn enter_row(&self, tx: &mut dyn Write, row: &T) -> Result<(), RowError> {
        self.keys_of(row).iter().try_for_each(|key| self.enter(tx, key, row))
    }

    /// Removes all entries of a row.
    pub(super) fn leave_row(&self, tx: &mut dyn Write, row: &T) -> Result<(), StoreError> {
        self.keys_of(row).iter().try_for_each(|key| self.leave(tx, key, row))
    }

    /// Adds a row to a non-unique index.
    fn enter_shared(&self, tx: &mut dyn Write, key: &[u8], row: &T) -> Result<(), StoreError> {
        let entry = self.entry(tx, key, row);
        tx.put(entry, Vec::new());
        self.count_by(tx, key, 1)
    }

    fn count_by(&self, tx: &mut dyn Write, key: &[u8], by: i64) -> Result<(), StoreError> {
        if !self.counted {
            return Ok(());
        }
        let counter = counter_key(tx, self.space, key);
        add(tx, counter, by)
    }

    /// Adds a soft-deleted row to the index. Such indexes are never unique.
    pub(super) fn enter_deleted(&self, tx: &mut dyn Write, row: &T) -> Result<(), StoreError> {
        self.keys_of(row).iter().try_for_each(|key| self.enter_shared(tx, key, row))
    }

    pub(super) fn leave(&self, tx: &mut dyn Write, key: &[u8], row: &T) -> Result<(), StoreError> {
        let entry = self.entry(tx, key, row);
        if self.unique {
            // Another row may have taken the value since.
            if tx.get(&entry)?.is_some_and(|owner| *owner == *row.id().as_bytes()) {
                tx.delete(entry);
            }
            return Ok(());
        }
        tx.delete(entry);
        self.count_by(tx, key, -1)
    }

    fn duplicate(&self, row: &T) -> RowError {
        RowError::Duplicate { entity: T::DEF, values: self.values(row) }
    }

    /// `sku: T-1`, joined by commas.
    pub(super) fn values(&self, row: &T) -> String {
        let value = |field: &&str| match row.scalar(field) {
            crate::Scalar::Text(text) => format!("{field}: {text}"),
            crate::Scalar::Bool(it) => format!("{field}: {it}"),
            other => format!("{field}: {other:?}"),
        };
        let values: Vec<String> = self.fields.iter().map(value).collect();
        values.join(", ")
    }

    /// The number of rows with these values. Reads one key if the index is counted or unique, else all of
    /// them.
    pub fn count(&self, tx: &dyn Read, parts: &[&str]) -> Result<u64, StoreError> {
        if self.counted {
            return read_number(tx, &counter_key(tx, self.space, &group_key(parts)));
        }
        self.count_up_to(tx, parts, u64::MAX)
    }

    /// Has any row these values?
    pub fn has_any(&self, tx: &dyn Read, parts: &[&str]) -> Result<bool, StoreError> {
        Ok(self.count_up_to(tx, parts, 1)? > 0)
    }

    /// The number of rows with these values, at most `n_max`; reads no more of them.
    pub fn count_up_to(&self, tx: &dyn Read, parts: &[&str], n_max: u64) -> Result<u64, StoreError> {
        let group = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts)).into_bytes();
        if self.unique {
            return Ok(tx.get(&group)?.is_some().into());
        }
        tx.count_keys(&Span::prefix(&group), n_max)
    }

    /// Has the row with this id these values? Reads one key.
    pub fn contains(&self, tx: &dyn Read, parts: &[&str], id: &str) -> Result<bool, StoreError> {
        let key = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts));
        if self.unique {
            return Ok(tx.get(&key.into_bytes())?.is_some_and(|owner| *owner == *id.as_bytes()));
        }
        Ok(tx.get(&key.tail(id.as_bytes()).into_bytes())?.is_some())
    }

    /// Calls `visit` with the ids of the rows with these values, after the id `after`.
    pub fn scan(
        &self,
        tx: &dyn Read,
        parts: &[&str],
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let group = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts)).into_bytes();
        let mut span = Span::prefix(&group);
        if self.unique {
            // The ids are in the values: there is one per key.
            return tx.scan(&span, direction, &mut |_, id| match after {
                Some(after) if !direction.is_before(after.as_bytes(), id) => Ok(Scan::Continue(())),
                _ => visit(&String::from_utf8_lossy(id)),
            });
        }
        if let Some(id) = after {
            span = span.beyond(&[&group, id.as_bytes()].concat(), direction);
        }
        tx.scan(&span, direction, &mut |key, _| visit(&String::from_utf8_lossy(&key[group.len()..])))
    }

    /// Visits the entries whose keys begin with `parts`, in the order of the keys, with the other parts of
    /// the key and the id of the row. With `from`, only those whose next part is `from` or greater.
    ///
    /// # Panics
    /// If the index is unique: its keys hold no ids.
    pub fn scan_below(
        &self,
        tx: &dyn Read,
        parts: &[&str],
        from: Option<&str>,
        visit: &mut impl FnMut(&[String], &str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        assert!(!self.unique, "`{}` holds one row per key", self.space);
        let group = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts)).into_bytes();
        let mut span = Span::prefix(&group);
        if let Some(from) = from {
            // Without the terminator of a part it is smaller than any key with this part.
            let before = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts)).tail(from.as_bytes());
            span = span.beyond(&before.into_bytes(), Direction::Ascending);
        }
        let n_others = self.fields.len() - parts.len();
        tx.scan(&span, Direction::Ascending, &mut |key, _| {
            let (mut others, mut rest) = (Vec::with_capacity(n_others), &key[group.len()..]);
            while others.len() < n_others {
                // No entry looks like this; `verify` lists it.
                let Some((part, behind)) = split_part(rest) else { return Ok(Scan::Continue(())) };
                others.push(part);
                rest = behind;
            }
            visit(&others, &String::from_utf8_lossy(rest))
        })
    }

    /// Calls `visit` with the ids of the rows that have one of these values, and the position of that value.
    /// The values must ascend.
    ///
    /// # Panics
    /// If the index is unique: its keys hold no ids.
    pub fn scan_each(
        &self,
        tx: &dyn Read,
        values: &[&str],
        visit: &mut dyn FnMut(usize, &str) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        assert!(!self.unique, "`{}` holds one row per key", self.space);
        let prefix = tx.prefix(self.space);
        let groups: Vec<_> = values.iter().map(|it| KeyBuf::new(prefix).part(it).into_bytes()).collect();
        scan_each(tx, &groups, &mut |n, id, _| visit(n, &String::from_utf8_lossy(id)))
    }

    /// Scans the whole index in the order of its keys, which must have one part: visits the part and the id
    /// of each entry after `after`.
    ///
    /// # Panics
    /// If the index is unique: its keys hold no ids.
    pub fn scan_all(
        &self,
        tx: &dyn Read,
        after: Option<(&str, &str)>,
        visit: &mut dyn FnMut(&str, &str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        assert!(!self.unique, "`{}` holds one row per key", self.space);
        let prefix = tx.prefix(self.space);
        let mut span = Span::prefix(&prefix);
        if let Some((part, id)) = after {
            let last = KeyBuf::new(prefix).part(part).tail(id.as_bytes()).into_bytes();
            span = span.beyond(&last, Direction::Ascending);
        }
        tx.scan(&span, Direction::Ascending, &mut |key, _| match split_part(&key[prefix.len()..]) {
            Some((part, id)) => visit(&part, &String::from_utf8_lossy(id)),
            // No entry looks like this; `verify` lists it.
            None => Ok(Scan::Continue(())),
        })
    }

    /// The ids of the next `n_max` rows with these values, after the id `after`.
    pub fn next_ids(
        &self,
        tx: &dyn Read,
        parts: &[&str],
        after: Option<&str>,
        n_max: usize,
    ) -> Result<Vec<String>, StoreError> {
        let mut next = Vec::new();
        if n_max == 0 {
            return Ok(next);
        }
        self.scan(tx, parts, after, Direction::Ascending, &mut |id| {
            next.push(id.to_owned());
            Ok(if next.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        Ok(next)
    }

    /// The next `n_max` entries behind `after` whose only part is less than `end`: the part and the id of
    /// each. With a time as the part, these are the rows whose time has come, and no other is read.
    pub fn next_before(
        &self,
        tx: &dyn Read,
        end: &str,
        after: Option<&(String, String)>,
        n_max: usize,
    ) -> Result<Vec<(String, String)>, StoreError> {
        let after = after.map(|(part, id)| (&**part, &**id));
        let mut next = Vec::new();
        self.scan_all(tx, after, &mut |part, id| {
            if *part >= *end || next.len() >= n_max {
                return Ok(Scan::Break(()));
            }
            next.push((part.to_owned(), id.to_owned()));
            Ok(Scan::Continue(()))
        })?;
        Ok(next)
    }
}
