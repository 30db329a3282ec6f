//! Tables: the rows of one entity, their indexes and their counts, kept together.

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
};

use atoll_values::{Timestamp, limits::RECORD_BYTES_MAX};

use crate::{
    Direction, Entity, EntityDef, KeyBuf, Node, Read, Scan, Space, Span, StoreError, Write,
    entity::{decode_record, encode_record},
    key::group_key,
    sequence::{add, counter_key, read_number},
    verify::Findings,
};

/// The live rows of `T` in the space of its name, the soft-deleted ones in a space of their own (so that no
/// list has to step over them), and indexes over the live rows.
pub struct Table<T: 'static> {
    indexes: &'static [Index<T>],
    bytes_max: usize,
    kind: PhantomData<fn() -> T>,
}

/// Finds live rows by something else than their id.
pub struct Index<T> {
    /// Its space: `product.by_handle`.
    pub space: Space,
    /// The fields that make up a key, in order; a filter on the first one can use the index.
    pub fields: &'static [&'static str],
    /// May two live rows have the same key?
    pub unique: bool,
    /// Counts up whenever `keys` makes other keys of the same fields: the index is then built anew.
    pub version: u16,
    /// Shows the keys of a row. A row without a key is not in the index.
    pub keys: fn(&T, &mut Keys),
}

impl<T> Index<T> {
    /// Rows that share these fields; the index also keeps how many share them.
    pub const fn on(space: Space, fields: &'static [&'static str], keys: fn(&T, &mut Keys)) -> Self {
        Index { space, fields, unique: false, version: 1, keys }
    }

    /// Rows that no other live row shares these fields with.
    pub const fn unique(space: Space, fields: &'static [&'static str], keys: fn(&T, &mut Keys)) -> Self {
        Index { space, fields, unique: true, version: 1, keys }
    }

    /// The same, as of this version: it counts up whenever `keys` makes other keys of the same fields.
    pub const fn version(self, version: u16) -> Self {
        Index { version, ..self }
    }
}

/// What is known of an index, whatever its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexDef {
    /// Its space.
    pub space: Space,
    /// The fields that make up a key.
    pub fields: &'static [&'static str],
    /// May two live rows have the same key?
    pub unique: bool,
    /// The version of what makes the keys.
    pub version: u16,
}

/// Rows that share what a unique index takes once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// `sku: T-1`, joined by commas.
    pub values: String,
    /// The rows.
    pub ids: Vec<String>,
}

/// The keys of one row in one index.
#[derive(Debug, Default)]
pub struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// Adds a key of these parts.
    pub fn add(&mut self, parts: &[&str]) {
        self.0.push(group_key(parts));
    }

    /// Adds a key, if there is one.
    pub fn add_some(&mut self, part: Option<&str>) {
        if let Some(part) = part {
            self.add(&[part]);
        }
    }
}

/// Why a row was not written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RowError {
    /// A live row has this id already.
    #[error("{} with id: {id}, already exists.", entity.words())]
    Exists {
        /// The entity.
        entity: &'static EntityDef,
        /// The id.
        id: String,
    },
    /// Another live row has these values, which are unique.
    #[error("{} with {values}, already exists.", entity.words())]
    Duplicate {
        /// The entity.
        entity: &'static EntityDef,
        /// `sku: T-1`, joined by commas.
        values: String,
    },
    /// There is no live row with this id.
    #[error("{} with id: {id} was not found", entity.label)]
    NotFound {
        /// The entity.
        entity: &'static EntityDef,
        /// The id.
        id: String,
    },
    /// It has more bytes than a row of its kind may have.
    #[error("{} has {n_bytes} bytes, and may have {bytes_max}", entity.label)]
    TooLarge {
        /// The entity.
        entity: &'static EntityDef,
        /// What it has.
        n_bytes: usize,
        /// What it may have.
        bytes_max: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T: Entity> Table<T> {
    /// A table with these indexes.
    pub const fn new(indexes: &'static [Index<T>]) -> Self {
        Table { indexes, bytes_max: RECORD_BYTES_MAX, kind: PhantomData }
    }

    /// The same table, whose rows have at most so many bytes.
    pub const fn at_most(self, bytes_max: usize) -> Self {
        Table { bytes_max, ..self }
    }

    /// The bytes of a row. One that is too large may be written if it was larger before, so that it can be made smaller.
    fn encoded(&self, row: &T, before: Option<&T>) -> Result<Vec<u8>, RowError> {
        let (bytes, bytes_max) = (encode_record(row), self.bytes_max);
        let may_grow_to = |it: &T| encode_record(it).len().max(bytes_max);
        if bytes.len() > bytes_max && bytes.len() > before.map_or(bytes_max, may_grow_to) {
            return Err(RowError::TooLarge { entity: T::DEF, n_bytes: bytes.len(), bytes_max });
        }
        Ok(bytes)
    }

    /// Its indexes.
    pub(crate) fn indexes(&self) -> &'static [Index<T>] {
        self.indexes
    }

    fn row_key(&self, tx: &dyn Read, id: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(T::DEF.name)).tail(id.as_bytes()).into_bytes()
    }

    pub(crate) fn grave_key(&self, tx: &dyn Read, id: &str) -> Vec<u8> {
        KeyBuf::new(tx.prefix(T::DEF.deleted)).tail(id.as_bytes()).into_bytes()
    }

    /// The live row with this id.
    pub fn get(&self, tx: &dyn Read, id: &str) -> Result<Option<T>, StoreError> {
        let bytes = tx.get(&self.row_key(tx, id))?;
        bytes.map(|bytes| decode_record(T::DEF.name, id, &bytes)).transpose()
    }

    /// Is there a live row with this id?
    pub fn exists(&self, tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(tx.get(&self.row_key(tx, id))?.is_some())
    }

    /// The soft-deleted row with this id.
    pub fn get_deleted(&self, tx: &dyn Read, id: &str) -> Result<Option<T>, StoreError> {
        let bytes = tx.get(&self.grave_key(tx, id))?;
        bytes.map(|bytes| decode_record(T::DEF.deleted, id, &bytes)).transpose()
    }

    /// Writes a new row.
    pub fn insert(&self, tx: &mut dyn Write, row: &T) -> Result<(), RowError> {
        if self.exists(tx, row.id())? {
            return Err(RowError::Exists { entity: T::DEF, id: row.id().to_string() });
        }
        let bytes = self.encoded(row, None)?;
        for index in self.indexes {
            for key in index.keys_of(row) {
                index.enter(tx, &key, row)?;
            }
        }
        let key = self.row_key(tx, row.id());
        tx.put(key, bytes);
        let counter = counter_key(tx, T::DEF.name, b"");
        Ok(add(tx, counter, 1)?)
    }

    /// Writes `after` in the place of `before`. Only what differs in the indexes is touched.
    pub fn replace(&self, tx: &mut dyn Write, before: &T, after: &T) -> Result<(), RowError> {
        let bytes = self.encoded(after, Some(before))?;
        for index in self.indexes {
            let (old, new) = (index.keys_of(before), index.keys_of(after));
            for key in old.iter().filter(|key| !new.contains(key)) {
                index.leave(tx, key, before)?;
            }
            for key in new.iter().filter(|key| !old.contains(key)) {
                index.enter(tx, key, after)?;
            }
        }
        let key = self.row_key(tx, after.id());
        tx.put(key, bytes);
        Ok(())
    }

    /// Lets others have the unique values of a row that is about to go, or to change into `after`: for several rows that
    /// exchange them. The row is replaced or removed next.
    pub fn release_unique(&self, tx: &mut dyn Write, row: &T, after: Option<&T>) -> Result<(), StoreError> {
        for index in self.indexes.iter().filter(|it| it.unique) {
            let kept = after.map_or_else(Vec::new, |it| index.keys_of(it));
            for key in index.keys_of(row).iter().filter(|key| !kept.contains(key)) {
                index.leave(tx, key, row)?;
            }
        }
        Ok(())
    }

    fn take_out(&self, tx: &mut dyn Write, row: &T) -> Result<(), StoreError> {
        for index in self.indexes {
            for key in index.keys_of(row) {
                index.leave(tx, &key, row)?;
            }
        }
        let key = self.row_key(tx, row.id());
        tx.delete(key);
        let counter = counter_key(tx, T::DEF.name, b"");
        add(tx, counter, -1)
    }

    /// Removes the row with this id for good, live or soft-deleted. Unknown ids are ignored.
    pub fn remove(&self, tx: &mut dyn Write, id: &str) -> Result<Option<T>, StoreError> {
        if let Some(row) = self.get(tx, id)? {
            self.take_out(tx, &row)?;
            return Ok(Some(row));
        }
        let deleted = self.get_deleted(tx, id)?;
        let key = self.grave_key(tx, id);
        tx.delete(key);
        Ok(deleted)
    }

    /// Soft-deletes the live row with this id. Unknown ids are ignored.
    pub fn soft_delete(&self, tx: &mut dyn Write, id: &str, now: Timestamp) -> Result<Option<T>, StoreError> {
        let Some(mut row) = self.get(tx, id)? else { return Ok(None) };
        self.take_out(tx, &row)?;
        row.set_deleted_at(Some(now));
        let key = self.grave_key(tx, id);
        tx.put(key, encode_record(&row));
        Ok(Some(row))
    }

    /// Brings the soft-deleted row with this id back. Unknown ids are ignored.
    pub fn restore(&self, tx: &mut dyn Write, id: &str) -> Result<Option<T>, RowError> {
        let Some(mut row) = self.get_deleted(tx, id)? else { return Ok(None) };
        row.set_deleted_at(None);
        self.insert(tx, &row)?;
        let key = self.grave_key(tx, id);
        tx.delete(key);
        Ok(Some(row))
    }

    /// How many live rows there are: one key is read.
    pub fn count(&self, tx: &dyn Read) -> Result<u64, StoreError> {
        read_number(tx, &counter_key(tx, T::DEF.name, b""))
    }

    /// Shows the live rows by id, from behind `after`.
    pub fn scan(
        &self,
        tx: &dyn Read,
        after: Option<&str>,
        order: Direction,
        visit: &mut dyn FnMut(T) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let mut span = Span::prefix(&tx.prefix(T::DEF.name));
        if let Some(id) = after {
            span = span.beyond(&self.row_key(tx, id), order);
        }
        tx.scan(&span, order, &mut |key, value| {
            visit(decode_record(T::DEF.name, &String::from_utf8_lossy(&key[2..]), value)?)
        })
    }

    /// All live rows, by id. For what is few.
    pub fn list_all(&self, tx: &dyn Read) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.scan(tx, None, Direction::Ascending, &mut |row| {
            rows.push(row);
            Ok(Scan::Continue(()))
        })?;
        Ok(rows)
    }

    /// The id of the row with these values in a unique index.
    pub fn id_by(
        &self,
        tx: &dyn Read,
        index: &Index<T>,
        parts: &[&str],
    ) -> Result<Option<String>, StoreError> {
        assert!(index.unique, "`{}` may hold several rows per key", index.space);
        let key = KeyBuf::new(tx.prefix(index.space)).tail(&group_key(parts)).into_bytes();
        Ok(tx.get(&key)?.map(|id| String::from_utf8_lossy(&id).into_owned()))
    }

    /// The row with these values in a unique index.
    pub fn get_by(&self, tx: &dyn Read, index: &Index<T>, parts: &[&str]) -> Result<Option<T>, StoreError> {
        match self.id_by(tx, index, parts)? {
            Some(id) => self.get(tx, &id),
            None => Ok(None),
        }
    }

    /// The ids of the rows with these values, ascending.
    pub fn ids_by(&self, tx: &dyn Read, index: &Index<T>, parts: &[&str]) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        index.scan(tx, parts, None, Direction::Ascending, &mut |id| {
            ids.push(id.to_owned());
            Ok(Scan::Continue(()))
        })?;
        Ok(ids)
    }

    /// The rows with these values, by id.
    pub fn list_by(&self, tx: &dyn Read, index: &Index<T>, parts: &[&str]) -> Result<Vec<T>, StoreError> {
        let ids = self.ids_by(tx, index, parts)?;
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids {
            rows.extend(self.get(tx, &id)?);
        }
        Ok(rows)
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

    fn enter(&self, tx: &mut dyn Write, key: &[u8], row: &T) -> Result<(), RowError> {
        let entry = self.entry(tx, key, row);
        if self.unique {
            if tx.get(&entry)?.is_some() {
                return Err(self.duplicate(row));
            }
            tx.put(entry, row.id().as_bytes().to_vec());
            return Ok(());
        }
        tx.put(entry, Vec::new());
        let counter = counter_key(tx, self.space, key);
        Ok(add(tx, counter, 1)?)
    }

    fn leave(&self, tx: &mut dyn Write, key: &[u8], row: &T) -> Result<(), StoreError> {
        let entry = self.entry(tx, key, row);
        if self.unique {
            // Another row may have the value by now.
            if tx.get(&entry)?.is_some_and(|owner| *owner == *row.id().as_bytes()) {
                tx.delete(entry);
            }
            return Ok(());
        }
        tx.delete(entry);
        let counter = counter_key(tx, self.space, key);
        add(tx, counter, -1)
    }

    fn duplicate(&self, row: &T) -> RowError {
        RowError::Duplicate { entity: T::DEF, values: self.values(row) }
    }

    /// `sku: T-1`, joined by commas.
    fn values(&self, row: &T) -> String {
        let value = |field: &&str| match row.scalar(field) {
            crate::Scalar::Text(text) => format!("{field}: {text}"),
            crate::Scalar::Bool(it) => format!("{field}: {it}"),
            other => format!("{field}: {other:?}"),
        };
        let values: Vec<String> = self.fields.iter().map(value).collect();
        values.join(", ")
    }

    /// How many rows have these values: one key is read.
    pub fn count(&self, tx: &dyn Read, parts: &[&str]) -> Result<u64, StoreError> {
        if self.unique {
            let key = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts)).into_bytes();
            return Ok(tx.get(&key)?.is_some().into());
        }
        read_number(tx, &counter_key(tx, self.space, &group_key(parts)))
    }

    /// Has the row with this id these values? One key is read.
    pub fn contains(&self, tx: &dyn Read, parts: &[&str], id: &str) -> Result<bool, StoreError> {
        let key = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts));
        if self.unique {
            return Ok(tx.get(&key.into_bytes())?.is_some_and(|owner| *owner == *id.as_bytes()));
        }
        Ok(tx.get(&key.tail(id.as_bytes()).into_bytes())?.is_some())
    }

    /// Shows the ids of the rows with these values, from behind `after`.
    pub fn scan(
        &self,
        tx: &dyn Read,
        parts: &[&str],
        after: Option<&str>,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let group = KeyBuf::new(tx.prefix(self.space)).tail(&group_key(parts)).into_bytes();
        let mut span = Span::prefix(&group);
        if let Some(id) = after {
            span = span.beyond(&[&group, id.as_bytes()].concat(), order);
        }
        tx.scan(&span, order, &mut |key, value| {
            let id = if self.unique { value } else { &key[group.len()..] };
            visit(&String::from_utf8_lossy(id))
        })
    }
}

/// A table, whatever its rows: what the graph and the links need of it.
pub trait TableSource: Sync {
    /// Its entity.
    fn def(&self) -> &'static EntityDef;

    /// All spaces that it uses.
    fn spaces(&self) -> Vec<Space>;

    /// The live row with this id.
    fn node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError>;

    /// The soft-deleted row with this id.
    fn deleted_node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError>;

    /// Is there a live row with this id?
    fn has(&self, tx: &dyn Read, id: &str) -> Result<bool, StoreError>;

    /// How many live rows there are.
    fn n_rows(&self, tx: &dyn Read) -> Result<u64, StoreError>;

    /// Shows the live rows by id.
    fn nodes(
        &self,
        tx: &dyn Read,
        order: Direction,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// Shows the soft-deleted rows by id.
    fn deleted_nodes(
        &self,
        tx: &dyn Read,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// Checks the rows, the indexes and the counters.
    fn verify(&self, tx: &dyn Read, findings: &mut Findings) -> Result<(), StoreError>;
    /// Its indexes.
    fn index_defs(&self) -> Vec<IndexDef>;

    /// Goes over at most `n_max` live rows behind `after`: writes them anew as of today's version of the record where
    /// `rewrite` says so, and enters them into these indexes, which are empty in front of the first row. Says the last
    /// row and how many there were; fewer than `n_max` are the last.
    fn refill(
        &self,
        tx: &mut dyn Write,
        after: Option<&str>,
        n_max: usize,
        rewrite: bool,
        indexes: &[Space],
    ) -> Result<(Option<String>, usize), RowError>;

    /// Writes at most `n_max` soft-deleted rows behind `after` anew, as of today's version of the record.
    fn rewrite_deleted(
        &self,
        tx: &mut dyn Write,
        after: Option<&str>,
        n_max: usize,
    ) -> Result<(Option<String>, usize), StoreError>;

    /// At most `n_max` live rows behind `after`, by id.
    fn some_nodes(&self, tx: &dyn Read, after: Option<&str>, n_max: usize) -> Result<Vec<Node>, StoreError>;

    /// The live rows that share what a unique index takes once; at most `n_max` of these groups.
    fn shared(&self, tx: &dyn Read, index: Space, n_max: usize) -> Result<Vec<Shared>, StoreError>;

    /// Is there an index on this field alone?
    fn has_index(&self, field: &str) -> bool;

    /// How many live rows have this value in an indexed field.
    fn count_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<u64, StoreError>;

    /// Shows the ids of the live rows with this value in an indexed field.
    fn ids_where(
        &self,
        tx: &dyn Read,
        field: &str,
        value: &str,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// Has the live row with this id this value in an indexed field?
    fn is_where(&self, tx: &dyn Read, field: &str, value: &str, id: &str) -> Result<bool, StoreError>;
}

impl<T: Entity> Table<T> {
    /// At most `n_max` rows behind `after`, of the live or the soft-deleted ones.
    fn some_rows(
        &self,
        tx: &dyn Read,
        space: Space,
        after: Option<&str>,
        n_max: usize,
    ) -> Result<Vec<T>, StoreError> {
        let mut span = Span::prefix(&tx.prefix(space));
        if let Some(id) = after {
            let key = KeyBuf::new(tx.prefix(space)).tail(id.as_bytes()).into_bytes();
            span = span.beyond(&key, Direction::Ascending);
        }
        let mut rows = Vec::new();
        if n_max == 0 {
            return Ok(rows);
        }
        tx.scan(&span, Direction::Ascending, &mut |key, value| {
            rows.push(decode_record(space, &String::from_utf8_lossy(&key[2..]), value)?);
            Ok(if rows.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        Ok(rows)
    }

    fn index_on(&self, field: &str) -> Option<&'static Index<T>> {
        self.indexes.iter().find(|index| index.fields == [field])
    }
}

impl<T: Entity> TableSource for Table<T> {
    fn def(&self) -> &'static EntityDef {
        T::DEF
    }

    fn spaces(&self) -> Vec<Space> {
        let own = [T::DEF.name, T::DEF.deleted];
        own.into_iter().chain(self.indexes.iter().map(|index| index.space)).collect()
    }

    fn node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError> {
        Ok(self.get(tx, id)?.map(|row| Node::from(std::sync::Arc::new(row) as Node)))
    }

    fn deleted_node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError> {
        Ok(self.get_deleted(tx, id)?.map(|row| std::sync::Arc::new(row) as Node))
    }

    fn has(&self, tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
        self.exists(tx, id)
    }

    fn n_rows(&self, tx: &dyn Read) -> Result<u64, StoreError> {
        self.count(tx)
    }

    fn nodes(
        &self,
        tx: &dyn Read,
        order: Direction,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.scan(tx, None, order, &mut |row| visit(std::sync::Arc::new(row)))
    }

    fn deleted_nodes(
        &self,
        tx: &dyn Read,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        tx.scan(&Span::prefix(&tx.prefix(T::DEF.deleted)), Direction::Ascending, &mut |key, value| {
            let row: T = decode_record(T::DEF.deleted, &String::from_utf8_lossy(&key[2..]), value)?;
            visit(std::sync::Arc::new(row))
        })
    }

    fn verify(&self, tx: &dyn Read, findings: &mut Findings) -> Result<(), StoreError> {
        self.verify_all(tx, findings)
    }

    fn index_defs(&self) -> Vec<IndexDef> {
        let def = |it: &Index<T>| IndexDef {
            space: it.space,
            fields: it.fields,
            unique: it.unique,
            version: it.version,
        };
        self.indexes.iter().map(def).collect()
    }

    fn refill(
        &self,
        tx: &mut dyn Write,
        after: Option<&str>,
        n_max: usize,
        rewrite: bool,
        indexes: &[Space],
    ) -> Result<(Option<String>, usize), RowError> {
        let rows = self.some_rows(tx, T::DEF.name, after, n_max)?;
        for row in &rows {
            for index in self.indexes.iter().filter(|it| indexes.contains(&it.space)) {
                for key in index.keys_of(row) {
                    index.enter(tx, &key, row)?;
                }
            }
            if rewrite {
                let key = self.row_key(tx, row.id());
                tx.put(key, encode_record(row));
            }
        }
        Ok((rows.last().map(|it| it.id().to_string()), rows.len()))
    }

    fn rewrite_deleted(
        &self,
        tx: &mut dyn Write,
        after: Option<&str>,
        n_max: usize,
    ) -> Result<(Option<String>, usize), StoreError> {
        let rows = self.some_rows(tx, T::DEF.deleted, after, n_max)?;
        for row in &rows {
            let key = self.grave_key(tx, row.id());
            tx.put(key, encode_record(row));
        }
        Ok((rows.last().map(|it| it.id().to_string()), rows.len()))
    }

    fn some_nodes(&self, tx: &dyn Read, after: Option<&str>, n_max: usize) -> Result<Vec<Node>, StoreError> {
        let rows = self.some_rows(tx, T::DEF.name, after, n_max)?;
        Ok(rows.into_iter().map(|row| std::sync::Arc::new(row) as Node).collect())
    }

    fn shared(&self, tx: &dyn Read, index: Space, n_max: usize) -> Result<Vec<Shared>, StoreError> {
        let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
        let mut shared: BTreeMap<Vec<u8>, Shared> = BTreeMap::new();
        let Some(index) = self.indexes.iter().find(|it| it.space == index) else { return Ok(Vec::new()) };
        self.scan(tx, None, Direction::Ascending, &mut |row| {
            for key in index.keys_of(&row) {
                let Some(first) = seen.get(&key) else {
                    seen.insert(key, row.id().to_string());
                    continue;
                };
                if shared.len() < n_max || shared.contains_key(&key) {
                    let values = index.values(&row);
                    let group =
                        shared.entry(key).or_insert_with(|| Shared { values, ids: vec![first.clone()] });
                    group.ids.push(row.id().to_string());
                }
            }
            Ok(Scan::Continue(()))
        })?;
        Ok(shared.into_values().collect())
    }

    fn has_index(&self, field: &str) -> bool {
        self.index_on(field).is_some()
    }

    fn count_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<u64, StoreError> {
        self.index_on(field).map_or(Ok(0), |index| index.count(tx, &[value]))
    }

    fn ids_where(
        &self,
        tx: &dyn Read,
        field: &str,
        value: &str,
        order: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.index_on(field).map_or(Ok(()), |index| index.scan(tx, &[value], None, order, visit))
    }

    fn is_where(&self, tx: &dyn Read, field: &str, value: &str, id: &str) -> Result<bool, StoreError> {
        self.index_on(field).map_or(Ok(false), |index| index.contains(tx, &[value], id))
    }
}
