//! Tables: the rows of one entity with their indexes and counters, maintained in the same transaction; soft
//! delete and restore.
//!
//! This file reads rows, `write.rs` writes them, `index.rs` has the indexes, `source.rs` the type-erased
//! table that the graph and migrations use.

mod index;
mod source;
mod write;

use std::marker::PhantomData;

use atoll_values::limits::RECORD_BYTES_MAX;

use crate::{
    Direction, Entity, EntityDef, KeyBuf, Read, Scan, Space, Span, StoreError,
    entity::decode_record,
    get_each,
    key::group_key,
    sequence::{counter_key, read_number},
    skip_damaged,
};

pub use self::{
    index::{Index, IndexDef, Keys, Shared},
    source::{EnterRows, Refill, RefillRows, TableSource},
    write::WriteRows,
};

/// The key of a row, live or soft-deleted, in its space.
fn key_in(tx: &dyn Read, space: Space, id: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(space)).tail(id.as_bytes()).into_bytes()
}

/// The live rows of `T` in the space of its name, the soft-deleted rows in a space of their own (so that
/// lists need not skip them), and indexes over either.
pub struct Table<T: 'static> {
    indexes: &'static [Index<T>],
    bytes_max: usize,
    kind: PhantomData<fn() -> T>,
}

/// Why a row could not be written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RowError {
    /// A live row with this id exists.
    #[error("{} with id: {id}, already exists.", entity.words())]
    Exists {
        /// The entity of the row.
        entity: &'static EntityDef,
        /// The id of the row.
        id: String,
    },
    /// Another live row has the same values in a unique index.
    #[error("{} with {values}, already exists.", entity.words())]
    Duplicate {
        /// The entity of the row.
        entity: &'static EntityDef,
        /// `sku: T-1`, joined by commas.
        values: String,
    },
    /// No live row has this id.
    #[error("{} with id: {id} was not found", entity.label)]
    NotFound {
        /// The entity of the row.
        entity: &'static EntityDef,
        /// The id of the row.
        id: String,
    },
    /// The row exceeds the size limit of its table.
    #[error("{} has {n_bytes} bytes, and may have {bytes_max}", entity.label)]
    TooLarge {
        /// The entity of the row.
        entity: &'static EntityDef,
        /// The size of the row in bytes.
        n_bytes: usize,
        /// The limit in bytes.
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

    /// Sets the limit on the size of a row, in bytes.
    pub const fn at_most(self, bytes_max: usize) -> Self {
        Table { bytes_max, ..self }
    }

    /// The indexes of live rows, or those of soft-deleted rows.
    pub(crate) fn indexes_of(&self, deleted: bool) -> impl Iterator<Item = &'static Index<T>> {
        self.indexes.iter().filter(move |it| it.of_deleted == deleted)
    }

    fn row_key(&self, tx: &dyn Read, id: &str) -> Vec<u8> {
        key_in(tx, T::DEF.name, id)
    }

    pub(crate) fn deleted_key(&self, tx: &dyn Read, id: &str) -> Vec<u8> {
        key_in(tx, T::DEF.deleted, id)
    }

    /// The live row with this id; `None` if there is none.
    pub fn get(&self, tx: &dyn Read, id: &str) -> Result<Option<T>, StoreError> {
        let bytes = tx.get(&self.row_key(tx, id))?;
        bytes.map(|bytes| decode_record(T::DEF.name, id, &bytes)).transpose()
    }

    /// Is there a live row with this id?
    pub fn exists(&self, tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(tx.get(&self.row_key(tx, id))?.is_some())
    }

    /// Calls `visit` with the position and the live row of each of these ids that has one. They must ascend.
    pub fn get_each(
        &self,
        tx: &dyn Read,
        ids: &[&str],
        visit: &mut dyn FnMut(usize, T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| self.row_key(tx, id)).collect();
        get_each(tx, &keys, &mut |n, value| visit(n, decode_record(T::DEF.name, ids[n], value)?))
    }

    /// Is there a live row with each of these ids? They must ascend.
    pub fn exist(&self, tx: &dyn Read, ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        let keys: Vec<_> = ids.iter().map(|id| self.row_key(tx, id)).collect();
        let mut exist = vec![false; ids.len()];
        get_each(tx, &keys, &mut |n, _| {
            exist[n] = true;
            Ok(())
        })?;
        Ok(exist)
    }

    /// The soft-deleted row with this id; `None` if there is none.
    pub fn get_deleted(&self, tx: &dyn Read, id: &str) -> Result<Option<T>, StoreError> {
        let bytes = tx.get(&self.deleted_key(tx, id))?;
        bytes.map(|bytes| decode_record(T::DEF.deleted, id, &bytes)).transpose()
    }

    /// The number of live rows. Reads one key.
    pub fn count(&self, tx: &dyn Read) -> Result<u64, StoreError> {
        read_number(tx, &counter_key(tx, T::DEF.name, b""))
    }

    /// Calls `visit` with the live rows in the order of their ids, after the id `after`.
    pub fn scan(
        &self,
        tx: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(T) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.scan_in(tx, T::DEF.name, after, direction, visit)
    }

    /// As `scan`, for the live or the soft-deleted rows.
    fn scan_in(
        &self,
        tx: &dyn Read,
        space: Space,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(T) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let mut span = Span::prefix(&tx.prefix(space));
        if let Some(id) = after {
            span = span.beyond(&key_in(tx, space, id), direction);
        }
        tx.scan(&span, direction, &mut |key, value| {
            visit(decode_record(space, &String::from_utf8_lossy(&key[2..]), value)?)
        })
    }

    /// As [`Table::scan`], without the damaged rows ([`skip_damaged`]).
    pub fn scan_undamaged(
        &self,
        tx: &dyn Read,
        visit: &mut dyn FnMut(T) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        tx.scan(&Span::prefix(&tx.prefix(T::DEF.name)), Direction::Ascending, &mut |key, value| {
            let row = decode_record(T::DEF.name, &String::from_utf8_lossy(&key[2..]), value);
            skip_damaged(row)?.map_or(Ok(Scan::Continue(())), &mut *visit)
        })
    }

    /// All live rows, by id. For small tables only.
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

    /// As [`Table::list_by`], without the damaged rows ([`skip_damaged`]).
    pub fn list_undamaged_by(
        &self,
        tx: &dyn Read,
        index: &Index<T>,
        parts: &[&str],
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        for id in self.ids_by(tx, index, parts)? {
            rows.extend(skip_damaged(self.get(tx, &id))?.flatten());
        }
        Ok(rows)
    }
}
