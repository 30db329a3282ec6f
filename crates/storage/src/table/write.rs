//! Writing rows: insert, replace, remove, soft delete and restore, each with its index entries and counters.

use atoll_values::Timestamp;

use crate::{
    Entity, RowError, StoreError, Table, Write, WriteKeys,
    entity::encode_record,
    sequence::{add, counter_key},
};

/// Writes the rows of a table. The kernel does not hand it on: its services write by it, and links,
/// projections and events follow.
pub trait WriteRows<T> {
    /// Inserts a new row and its index entries.
    fn insert(&self, tx: &mut dyn Write, row: &T) -> Result<(), RowError>;

    /// Replaces `before` by `after`. Only index entries that differ are written.
    fn replace(&self, tx: &mut dyn Write, before: &T, after: &T) -> Result<(), RowError>;

    /// Releases the unique values of a row that is about to be removed, or replaced by `after`, so that
    /// several rows can exchange them in one transaction. The row must be replaced or removed next.
    fn release_unique(&self, tx: &mut dyn Write, row: &T, after: Option<&T>) -> Result<(), StoreError>;

    /// Removes a row permanently, whether it is live or soft-deleted. Unknown ids are ignored.
    fn remove(&self, tx: &mut dyn Write, id: &str) -> Result<Option<T>, StoreError>;

    /// Soft-deletes a live row. Unknown ids are ignored.
    fn soft_delete(&self, tx: &mut dyn Write, id: &str, now: Timestamp) -> Result<Option<T>, StoreError>;

    /// Replaces the soft-deleted row with this id, if there is one, by `after`, or removes it.
    fn replace_deleted(&self, tx: &mut dyn Write, id: &str, after: Option<&T>) -> Result<(), StoreError>;

    /// Restores a soft-deleted row. Unknown ids are ignored.
    fn restore(&self, tx: &mut dyn Write, id: &str) -> Result<Option<T>, RowError>;
}

impl<T: Entity> WriteRows<T> for Table<T> {
    fn insert(&self, tx: &mut dyn Write, row: &T) -> Result<(), RowError> {
        if self.exists(tx, row.id())? {
            return Err(RowError::Exists { entity: T::DEF, id: row.id().to_string() });
        }
        let bytes = self.encoded(row, None)?;
        self.indexes_of(false).try_for_each(|index| index.enter_row(tx, row))?;
        let key = self.row_key(tx, row.id());
        tx.put(key, bytes);
        let counter = counter_key(tx, T::DEF.name, b"");
        Ok(add(tx, counter, 1)?)
    }

    fn replace(&self, tx: &mut dyn Write, before: &T, after: &T) -> Result<(), RowError> {
        let bytes = self.encoded(after, Some(before))?;
        for index in self.indexes_of(false) {
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

    fn release_unique(&self, tx: &mut dyn Write, row: &T, after: Option<&T>) -> Result<(), StoreError> {
        for index in self.indexes.iter().filter(|it| it.unique) {
            let kept = after.map_or_else(Vec::new, |it| index.keys_of(it));
            for key in index.keys_of(row).iter().filter(|key| !kept.contains(key)) {
                index.leave(tx, key, row)?;
            }
        }
        Ok(())
    }

    fn remove(&self, tx: &mut dyn Write, id: &str) -> Result<Option<T>, StoreError> {
        if let Some(row) = self.get(tx, id)? {
            self.take_out(tx, &row)?;
            return Ok(Some(row));
        }
        let deleted = self.get_deleted(tx, id)?;
        if let Some(row) = &deleted {
            self.take_out_deleted(tx, row)?;
        }
        Ok(deleted)
    }

    fn soft_delete(&self, tx: &mut dyn Write, id: &str, now: Timestamp) -> Result<Option<T>, StoreError> {
        let Some(mut row) = self.get(tx, id)? else { return Ok(None) };
        self.take_out(tx, &row)?;
        row.set_deleted_at(Some(now));
        self.put_in_deleted(tx, &row)?;
        Ok(Some(row))
    }

    fn replace_deleted(&self, tx: &mut dyn Write, id: &str, after: Option<&T>) -> Result<(), StoreError> {
        if let Some(before) = self.get_deleted(tx, id)? {
            self.take_out_deleted(tx, &before)?;
        }
        after.map_or(Ok(()), |row| self.put_in_deleted(tx, row))
    }

    fn restore(&self, tx: &mut dyn Write, id: &str) -> Result<Option<T>, RowError> {
        let Some(deleted) = self.get_deleted(tx, id)? else { return Ok(None) };
        let mut row = deleted.clone();
        row.set_deleted_at(None);
        self.insert(tx, &row)?;
        self.take_out_deleted(tx, &deleted)?;
        Ok(Some(row))
    }
}

impl<T: Entity> Table<T> {
    /// Serialises a row and checks its size. A row above the limit may still be written if it becomes
    /// smaller.
    fn encoded(&self, row: &T, before: Option<&T>) -> Result<Vec<u8>, RowError> {
        let (bytes, bytes_max) = (encode_record(row), self.bytes_max);
        let may_grow_to = |it: &T| encode_record(it).len().max(bytes_max);
        if bytes.len() > bytes_max && bytes.len() > before.map_or(bytes_max, may_grow_to) {
            return Err(RowError::TooLarge { entity: T::DEF, n_bytes: bytes.len(), bytes_max });
        }
        Ok(bytes)
    }

    fn take_out(&self, tx: &mut dyn Write, row: &T) -> Result<(), StoreError> {
        self.indexes_of(false).try_for_each(|index| index.leave_row(tx, row))?;
        let key = self.row_key(tx, row.id());
        tx.delete(key);
        let counter = counter_key(tx, T::DEF.name, b"");
        add(tx, counter, -1)
    }

    fn take_out_deleted(&self, tx: &mut dyn Write, row: &T) -> Result<(), StoreError> {
        self.indexes_of(true).try_for_each(|index| index.leave_row(tx, row))?;
        let key = self.deleted_key(tx, row.id());
        tx.delete(key);
        Ok(())
    }

    pub(super) fn put_in_deleted(&self, tx: &mut dyn Write, row: &T) -> Result<(), StoreError> {
        let key = self.deleted_key(tx, row.id());
        tx.put(key, encode_record(row));
        self.indexes_of(true).try_for_each(|index| index.enter_deleted(tx, row))
    }
}
