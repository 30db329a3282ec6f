//! The type-erased table: read access for the graph and links, and rebuilding for migrations.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    Direction, Entity, EntityDef, Guard, Index, IndexDef, LineError, Node, Read, RowError, Scan, Shared,
    Space, StoreError, Table, Write, WriteKeys, WriteRows,
    entity::{decode_record, encode_record},
    from_json, key_text,
    line::all_known,
    table::key_in,
    to_json,
    verify::Findings,
};

/// A table of any entity, type-erased.
pub trait TableSource: Sync {
    /// The definition of its entity.
    fn def(&self) -> &'static EntityDef;

    /// All spaces of the table: rows, deleted rows, indexes.
    fn spaces(&self) -> Vec<Space>;

    /// The live row with this id.
    fn node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError>;

    /// The soft-deleted row with this id.
    fn deleted_node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError>;

    /// Is there a live row with this id?
    fn has(&self, tx: &dyn Read, id: &str) -> Result<bool, StoreError>;

    /// Is there a live row with each of these ids? They must ascend.
    fn have(&self, tx: &dyn Read, ids: &[&str]) -> Result<Vec<bool>, StoreError>;

    /// The number of live rows.
    fn n_rows(&self, tx: &dyn Read) -> Result<u64, StoreError>;

    /// Calls `visit` with the live rows, by id, after the id `after`.
    fn nodes(
        &self,
        tx: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// Calls `visit` with the soft-deleted rows, by id.
    fn deleted_nodes(
        &self,
        tx: &dyn Read,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// Verifies the rows, the indexes and the counters.
    fn verify(&self, tx: &dyn Read, findings: &mut Findings) -> Result<(), StoreError>;

    /// Is this one of its rows, live or soft-deleted, of today's version or of an earlier one? `key` is
    /// without the prefix of the space.
    fn check(&self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError>;

    /// The row as JSON with the names of its fields, in today's version: see [`to_json`]. `key` is without
    /// the prefix of the space.
    fn json(&self, space: Space, key: &[u8], value: &[u8]) -> Result<Value, StoreError>;

    /// See [`EnterRows::enter_line`].
    #[doc(hidden)]
    fn enter_json(&self, tx: &mut dyn Write, by: Guard, version: u16, row: &Value) -> Result<(), LineError>;

    /// The definitions of its indexes.
    fn index_defs(&self) -> Vec<IndexDef>;

    /// See [`RefillRows::refill`].
    #[doc(hidden)]
    fn refill_rows(
        &self,
        tx: &mut dyn Write,
        by: Guard,
        step: &Refill<'_>,
    ) -> Result<(Option<String>, usize), RowError>;

    /// At most `n_max` live rows after `after`, by id.
    fn some_nodes(&self, tx: &dyn Read, after: Option<&str>, n_max: usize) -> Result<Vec<Node>, StoreError>;

    /// The violations of a unique index among the live rows, at most `n_max`.
    fn shared(&self, tx: &dyn Read, index: Space, n_max: usize) -> Result<Vec<Shared>, StoreError>;

    /// The field on which this table has an index, which may be a path into embedded records: `items.id`.
    fn indexed(&self, field: &str) -> Option<&'static str>;

    /// Is there an index on this field alone?
    fn has_index(&self, field: &str) -> bool {
        self.indexed(field).is_some()
    }

    /// Does the index on this field keep the number of rows per value?
    fn counts(&self, field: &str) -> bool;

    /// The number of live rows with this value in an indexed field. Reads them, unless they are counted.
    fn count_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<u64, StoreError>;

    /// Has any live row this value in an indexed field?
    fn has_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<bool, StoreError>;

    /// Calls `visit` with the ids of the live rows with this value in an indexed field, after the id `after`.
    fn ids_where(
        &self,
        tx: &dyn Read,
        field: &str,
        value: &str,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError>;

    /// The ids of the live rows with this value in an indexed field, ascending.
    fn all_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<Vec<String>, StoreError> {
        let mut ids = Vec::new();
        self.ids_where(tx, field, value, None, Direction::Ascending, &mut |id| {
            ids.push(id.to_owned());
            Ok(Scan::Continue(()))
        })?;
        Ok(ids)
    }

    /// Has the live row with this id this value in an indexed field?
    fn is_where(&self, tx: &dyn Read, field: &str, value: &str, id: &str) -> Result<bool, StoreError>;
}

/// A migration step over rows: which, and what is done to them.
pub struct Refill<'a> {
    /// The soft-deleted rows, or the live ones?
    pub deleted: bool,
    /// The id after which it goes on.
    pub after: Option<&'a str>,
    /// The number of rows at most.
    pub n_max: usize,
    /// Are the rows rewritten in the current version?
    pub rewrite: bool,
    /// The indexes that the rows are added to, of those that hold such rows. They must be empty from `after`
    /// on.
    pub indexes: &'a [Space],
}

/// Migrates the rows of any table. The kernel does not hand it on.
pub trait RefillRows {
    /// One step. Returns the last row and the number of rows; fewer than `n_max` means the end.
    fn refill(&self, tx: &mut dyn Write, step: &Refill<'_>) -> Result<(Option<String>, usize), RowError>;
}

impl<T: TableSource + ?Sized> RefillRows for T {
    fn refill(&self, tx: &mut dyn Write, step: &Refill<'_>) -> Result<(Option<String>, usize), RowError> {
        self.refill_rows(tx, Guard::new(), step)
    }
}

/// Enters records of an export into any table. The kernel does not hand it on.
pub trait EnterRows {
    /// Enters a record that was exported when the records had this version, with its indexes: a live one or,
    /// by its `deleted_at`, a soft-deleted one. Errors: its id or one of its unique values is taken.
    fn enter_line(&self, tx: &mut dyn Write, version: u16, row: &Value) -> Result<(), LineError>;
}

impl<T: TableSource + ?Sized> EnterRows for T {
    fn enter_line(&self, tx: &mut dyn Write, version: u16, row: &Value) -> Result<(), LineError> {
        self.enter_json(tx, Guard::new(), version, row)
    }
}

impl<T: Entity> Table<T> {
    /// At most `n_max` rows after `after`, live or soft-deleted.
    fn some_rows(
        &self,
        tx: &dyn Read,
        space: Space,
        after: Option<&str>,
        n_max: usize,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        if n_max == 0 {
            return Ok(rows);
        }
        self.scan_in(tx, space, after, Direction::Ascending, &mut |row| {
            rows.push(row);
            Ok(if rows.len() < n_max { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        Ok(rows)
    }

    fn json_of(&self, row: &T) -> Result<Value, String> {
        to_json(&encode_record(row))
    }

    fn index_on(&self, field: &str) -> Option<&'static Index<T>> {
        self.indexes_of(false).find(|index| index.fields == [field])
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
        Ok(self.get(tx, id)?.map(|row| Arc::new(row) as Node))
    }

    fn deleted_node(&self, tx: &dyn Read, id: &str) -> Result<Option<Node>, StoreError> {
        Ok(self.get_deleted(tx, id)?.map(|row| Arc::new(row) as Node))
    }

    fn has(&self, tx: &dyn Read, id: &str) -> Result<bool, StoreError> {
        self.exists(tx, id)
    }

    fn have(&self, tx: &dyn Read, ids: &[&str]) -> Result<Vec<bool>, StoreError> {
        self.exist(tx, ids)
    }

    fn n_rows(&self, tx: &dyn Read) -> Result<u64, StoreError> {
        self.count(tx)
    }

    fn nodes(
        &self,
        tx: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.scan(tx, after, direction, &mut |row| visit(Arc::new(row)))
    }

    fn deleted_nodes(
        &self,
        tx: &dyn Read,
        visit: &mut dyn FnMut(Node) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.scan_in(tx, T::DEF.deleted, None, Direction::Ascending, &mut |row| visit(Arc::new(row)))
    }

    fn verify(&self, tx: &dyn Read, findings: &mut Findings) -> Result<(), StoreError> {
        self.verify_all(tx, findings)
    }

    fn check(&self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let row: T = decode_record(space, &key_text(key), value)?;
        if row.id().as_bytes() == key {
            return Ok(());
        }
        let reason = format!("it is the record `{}`", row.id());
        Err(StoreError::Corrupt { space, key: key_text(key), reason })
    }

    fn json(&self, space: Space, key: &[u8], value: &[u8]) -> Result<Value, StoreError> {
        let row: T = decode_record(space, &key_text(key), value)?;
        self.json_of(&row).map_err(|reason| StoreError::Corrupt { space, key: key_text(key), reason })
    }

    fn enter_json(&self, tx: &mut dyn Write, _: Guard, version: u16, line: &Value) -> Result<(), LineError> {
        let row: T = decode_record(T::DEF.name, "", &from_json(version, line))?;
        if version == T::DEF.version() {
            all_known(line, &self.json_of(&row).map_err(LineError::Wrong)?)?;
        }
        if row.id().is_empty() {
            return Err(LineError::Wrong(format!("it has no `{}`", T::DEF.key)));
        }
        if self.get_deleted(tx, row.id())?.is_some() {
            return Err(RowError::Exists { entity: T::DEF, id: row.id().to_string() }.into());
        }
        if line.get("deleted_at").is_none_or(Value::is_null) {
            return Ok(self.insert(tx, &row)?);
        }
        if self.exists(tx, row.id())? {
            return Err(RowError::Exists { entity: T::DEF, id: row.id().to_string() }.into());
        }
        Ok(self.put_in_deleted(tx, &row)?)
    }

    fn index_defs(&self) -> Vec<IndexDef> {
        let def = |it: &Index<T>| IndexDef {
            space: it.space,
            fields: it.fields,
            unique: it.unique,
            version: it.version,
            of_deleted: it.of_deleted,
            counted: it.counted,
        };
        self.indexes.iter().map(def).collect()
    }

    fn refill_rows(
        &self,
        tx: &mut dyn Write,
        _: Guard,
        step: &Refill<'_>,
    ) -> Result<(Option<String>, usize), RowError> {
        let space = if step.deleted { T::DEF.deleted } else { T::DEF.name };
        let rows = self.some_rows(tx, space, step.after, step.n_max)?;
        for row in &rows {
            let of_rows = self.indexes_of(step.deleted);
            of_rows.filter(|it| step.indexes.contains(&it.space)).try_for_each(|it| it.enter_row(tx, row))?;
            if step.rewrite {
                let key = key_in(tx, space, row.id());
                tx.put(key, encode_record(row));
            }
        }
        Ok((rows.last().map(|it| it.id().to_string()), rows.len()))
    }

    fn some_nodes(&self, tx: &dyn Read, after: Option<&str>, n_max: usize) -> Result<Vec<Node>, StoreError> {
        let rows = self.some_rows(tx, T::DEF.name, after, n_max)?;
        Ok(rows.into_iter().map(|row| Arc::new(row) as Node).collect())
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

    fn indexed(&self, field: &str) -> Option<&'static str> {
        self.index_on(field).map(|index| index.fields[0])
    }

    fn counts(&self, field: &str) -> bool {
        self.index_on(field).is_some_and(|index| index.counted || index.unique)
    }

    fn has_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<bool, StoreError> {
        self.index_on(field).map_or(Ok(false), |index| index.has_any(tx, &[value]))
    }

    fn count_where(&self, tx: &dyn Read, field: &str, value: &str) -> Result<u64, StoreError> {
        self.index_on(field).map_or(Ok(0), |index| index.count(tx, &[value]))
    }

    fn ids_where(
        &self,
        tx: &dyn Read,
        field: &str,
        value: &str,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        self.index_on(field).map_or(Ok(()), |index| index.scan(tx, &[value], after, direction, visit))
    }

    fn is_where(&self, tx: &dyn Read, field: &str, value: &str, id: &str) -> Result<bool, StoreError> {
        self.index_on(field).map_or(Ok(false), |index| index.contains(tx, &[value], id))
    }
}
