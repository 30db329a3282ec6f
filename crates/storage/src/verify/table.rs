//! Verification of tables and their indexes: every row is indexed, every entry has its row, and counters are
//! right.

use crate::{
    Direction, Entity, Index, Read, Scalar, Scan, Span, StoreError, Table, decode_record,
    verify::{
        Findings, Groups,
        counters::{group_len, verify_counters, verify_total},
        is_damaged, readable,
    },
};

impl<T: Entity> Table<T> {
    /// Verifies all rows, live and soft-deleted, the indexes, and the counters.
    pub(crate) fn verify_all(&self, tx: &dyn Read, findings: &mut Findings) -> Result<(), StoreError> {
        let mut indexes: Vec<IndexCheck<T>> = self.indexes_of(false).map(IndexCheck::of).collect();
        let mut n_rows = 0;
        tx.scan(&Span::prefix(&tx.prefix(T::DEF.name)), Direction::Ascending, &mut |key, value| {
            findings.checked("rows")?;
            n_rows += 1;
            let id = &key[2..];
            let Some(row) =
                findings.read(T::DEF.name, id, value, |id| decode_record::<T>(T::DEF.name, id, value))
            else {
                return Ok(Scan::Continue(()));
            };
            if *row.id().as_bytes() != *id {
                findings.add("row.misplaced", T::DEF.name, id, &**row.id(), "the row with this id");
            }
            if row.scalar("deleted_at") != Scalar::Null {
                findings.add("row.deleted", T::DEF.name, id, "a time of deletion", "a live row");
            }
            if tx.get(&self.deleted_key(tx, &String::from_utf8_lossy(id)))?.is_some() {
                findings.add("row.twice", T::DEF.deleted, id, "a soft-deleted row", "the live one alone");
            }
            for index in &mut indexes {
                index.row(tx, &row, findings)?;
            }
            Ok(Scan::Continue(()))
        })?;
        verify_total(tx, T::DEF.name, n_rows, findings)?;
        for index in indexes {
            index.entries(tx, self, findings)?;
        }
        self.verify_deleted(tx, findings)
    }

    fn verify_deleted(&self, tx: &dyn Read, findings: &mut Findings) -> Result<(), StoreError> {
        let mut indexes: Vec<IndexCheck<T>> = self.indexes_of(true).map(IndexCheck::of).collect();
        tx.scan(&Span::prefix(&tx.prefix(T::DEF.deleted)), Direction::Ascending, &mut |key, value| {
            findings.checked("soft-deleted rows")?;
            let id = &key[2..];
            let Some(row) =
                findings.read(T::DEF.deleted, id, value, |id| decode_record::<T>(T::DEF.deleted, id, value))
            else {
                return Ok(Scan::Continue(()));
            };
            if *row.id().as_bytes() != *id {
                findings.add("row.misplaced", T::DEF.deleted, id, &**row.id(), "the row with this id");
            }
            for index in &mut indexes {
                index.row(tx, &row, findings)?;
            }
            Ok(Scan::Continue(()))
        })?;
        indexes.into_iter().try_for_each(|index| index.entries(tx, self, findings))
    }
}

/// The check of one index during a scan of its table.
struct IndexCheck<T: 'static> {
    index: &'static Index<T>,
    /// Keys of rows for which an entry exists.
    n_found: u64,
    missing: Groups,
}

impl<T: Entity> IndexCheck<T> {
    fn of(index: &'static Index<T>) -> IndexCheck<T> {
        IndexCheck { index, n_found: 0, missing: Groups::default() }
    }

    /// Checks that every key of the row is in the index and refers to the row.
    fn row(&mut self, tx: &dyn Read, row: &T, findings: &mut Findings) -> Result<(), StoreError> {
        for key in self.index.keys_of(row) {
            let entry = self.index.entry(tx, &key, row);
            let id = &**row.id();
            match tx.get(&entry)? {
                None => {
                    self.missing.note(&key);
                    findings.add("index.missing", self.index.space, &entry[2..], "nothing", id);
                }
                Some(owner) if self.index.unique && owner != id.as_bytes() && !is_damaged(&owner) => {
                    // Reported here, and not a second time as an entry without its row.
                    self.n_found += 1;
                    let owner = String::from_utf8_lossy(&owner).into_owned();
                    findings.add("index.taken", self.index.space, &entry[2..], owner, id);
                }
                Some(_) => self.n_found += 1,
            }
        }
        Ok(())
    }

    /// Checks that every entry has its row, and that the counters are right.
    fn entries(self, tx: &dyn Read, table: &Table<T>, findings: &mut Findings) -> Result<(), StoreError> {
        let IndexCheck { index, n_found, missing } = self;
        let all = Span::prefix(&tx.prefix(index.space));
        // All entries of rows were found. If there are no others, none is stale.
        let any_stale = tx.count_keys(&all, u64::MAX)? != n_found;
        let mut is_stale = |key: &[u8], value: &[u8]| -> Result<bool, StoreError> {
            if !any_stale || is_damaged(value) {
                return Ok(false);
            }
            let (group, id) = if index.unique { (key, value) } else { key.split_at(group_len(key)) };
            // The keys of an unreadable row are unknown.
            let id = String::from_utf8_lossy(id);
            let row = if index.of_deleted { table.get_deleted(tx, &id) } else { table.get(tx, &id) };
            let Some(row) = readable(row)? else { return Ok(false) };
            Ok(!row.is_some_and(|row| index.keys_of(&row).iter().any(|it| it == group)))
        };
        if any_stale {
            tx.scan(&all, Direction::Ascending, &mut |key, value| {
                if is_stale(&key[2..], value)? {
                    let id = if index.unique { value } else { &key[2..][group_len(&key[2..])..] };
                    let id = String::from_utf8_lossy(id).into_owned();
                    findings.add("index.stale", index.space, &key[2..], id, "nothing: no row has this key");
                }
                Ok(Scan::Continue(()))
            })?;
        }
        if !index.counted {
            return Ok(());
        }
        verify_counters(tx, index.space, missing, findings, &mut is_stale)
    }
}
