//! The default engine: one redb file, one table of bytes.

use std::{ops::Bound, path::Path, sync::Arc};

use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};

use crate::{Changes, Engine, Order, Raw, Span, StoreError, Visit};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("atoll");

/// A redb database. It is locked while it is open, so a second process is refused.
pub struct Redb {
    database: Database,
}

impl Redb {
    /// Opens the file, or makes it.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let database = Database::create(file).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => {
                StoreError::Engine(format!("`{}` is in use by another process", file.display()))
            }
            error => failed(error),
        })?;
        let tx = database.begin_write().map_err(failed)?;
        tx.open_table(TABLE).map_err(failed)?;
        tx.commit().map_err(failed)?;
        Ok(Redb { database })
    }
}

impl Engine for Redb {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        let tx = self.database.begin_read().map_err(failed)?;
        Ok(Arc::new(Snapshot(tx.open_table(TABLE).map_err(failed)?)))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let tx = self.database.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(TABLE).map_err(failed)?;
            for (key, change) in changes {
                match change {
                    Some(value) => table.insert(key.as_slice(), value.as_slice()).map_err(failed)?,
                    None => table.remove(key.as_slice()).map_err(failed)?,
                };
            }
        }
        tx.commit().map_err(failed)
    }
}

/// Holds its read transaction open through the table.
struct Snapshot(ReadOnlyTable<&'static [u8], &'static [u8]>);

impl Raw for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    fn scan(&self, span: &Span, order: Order, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let end = match &span.end {
            Some(end) if *end <= span.start => return Ok(()),
            Some(end) => Bound::Excluded(end.as_slice()),
            None => Bound::Unbounded,
        };
        let mut range =
            self.0.range::<&[u8]>((Bound::Included(span.start.as_slice()), end)).map_err(failed)?;
        let mut next = || match order {
            Order::Ascending => range.next(),
            Order::Descending => range.next_back(),
        };
        while let Some(entry) = next() {
            let (key, value) = entry.map_err(failed)?;
            if visit(key.value(), value.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Engine(error.into().to_string())
}
