//! CRUD, soft delete and restore for every entity, written once over its table, its links and the projections
//! that follow it.

use std::{any::Any, sync::Arc};

use atoll_storage::{decode_record, encode_record};

use crate::{
    Change, Context, Entity, Env, Index, ListQuery, Moment, Node, QueryError, Read, Record, Registry,
    RowError, StoreError, Table, TableSource, Write, link, list,
    projection::{announce, project},
    reference,
};

/// The service of one entity: a set of functions that run inside a transaction.
pub struct Service<T: 'static> {
    /// The rows. Reading them here is fine; writing them is not, since links and projections would not know.
    pub table: Table<T>,
}

/// An update of a `T`.
pub trait Patch<T> {
    /// Changes what it says, and leaves the rest.
    fn apply(self, record: &mut T);
}

impl<T, F: FnOnce(&mut T)> Patch<T> for F {
    fn apply(self, record: &mut T) {
        self(record);
    }
}

/// The record behind `node`.
///
/// # Panics
/// When it is of another entity.
pub fn of<T: Entity>(node: &Node) -> &T {
    let node: &dyn Any = &**node;
    node.downcast_ref().unwrap_or_else(|| panic!("the record is not a {}", T::DEF.name))
}

impl<T: Entity> Service<T> {
    /// A service over a table with these indexes.
    pub const fn new(indexes: &'static [Index<T>]) -> Self {
        Service { table: Table::new(indexes) }
    }

    /// The same service, whose records have at most so many bytes.
    pub const fn at_most(self, bytes_max: usize) -> Self {
        Service { table: self.table.at_most(bytes_max) }
    }

    /// The live record with this id.
    pub fn get(&self, tx: &dyn Read, id: &str) -> Result<Option<T>, StoreError> {
        self.table.get(tx, id)
    }

    /// The live record with this id, or `NotFound`.
    pub fn retrieve(&self, tx: &dyn Read, id: &str) -> Result<T, RowError> {
        self.get(tx, id)?.ok_or_else(|| RowError::NotFound { entity: T::DEF, id: id.to_owned() })
    }

    /// The live records that `query` asks for.
    pub fn list(&self, tx: &dyn Read, at: &Moment, query: ListQuery) -> Result<Vec<T>, QueryError> {
        Ok(self.list_and_count(tx, at, query)?.0)
    }

    /// The live records that `query` asks for, and how many there are on all pages.
    pub fn list_and_count(
        &self,
        tx: &dyn Read,
        at: &Moment,
        query: ListQuery,
    ) -> Result<(Vec<T>, u64), QueryError> {
        let context = Context::unconfined(at.now());
        let env = Env { view: tx, graph: Registry::graph(), context: &context };
        let page = list(&env, T::DEF, query)?;
        Ok((page.nodes.iter().map(|node| of::<T>(node).clone()).collect(), page.count))
    }

    /// Writes a new record. It is given an id, unless it brings one, and the time of the transaction.
    pub fn create(&self, tx: &mut dyn Write, at: &Moment, mut record: T) -> Result<T, RowError> {
        let id = if record.id().is_empty() { at.id() } else { record.id().clone() };
        record.born(id, at.now());
        self.table.insert(tx, &record)?;
        announce(tx, at, &change(None, Some(&record)))?;
        Ok(record)
    }

    /// Changes the record with this id, or says `NotFound`. A change that changes nothing is not written.
    pub fn update(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        patch: impl Patch<T>,
    ) -> Result<T, RowError>
    where
        T: PartialEq,
    {
        let Some(before) = self.get(tx, id)? else {
            return Err(RowError::NotFound { entity: T::DEF, id: id.to_owned() });
        };
        let mut after = before.clone();
        patch.apply(&mut after);
        if after == before {
            return Ok(before);
        }
        after.touch(at.now());
        self.table.replace(tx, &before, &after)?;
        announce(tx, at, &change(Some(&before), Some(&after)))?;
        Ok(after)
    }

    /// Creates the record, or changes the one that has its id into it.
    pub fn upsert(&self, tx: &mut dyn Write, at: &Moment, record: T) -> Result<T, RowError>
    where
        T: PartialEq,
    {
        match self.get(tx, record.id())? {
            None => self.create(tx, at, record),
            Some(_) => {
                let id = record.id().clone();
                self.update(tx, at, &id, move |it: &mut T| it.become_like(record))
            }
        }
    }

    /// Removes the record with this id for good, and its links. Unknown ids are ignored.
    pub fn delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<T>, RowError> {
        let was_live = self.table.exists(tx, id)?;
        let record = self.table.remove(tx, id)?;
        link::forget(tx, at, T::DEF.name, id)?;
        reference::forget(tx, at, T::DEF.name, id)?;
        if let (Some(record), true) = (&record, was_live) {
            announce(tx, at, &change(Some(record), None))?;
        }
        Ok(record)
    }

    /// Hides the record with this id, and its links, until it is restored; references to it are cleared,
    /// where their relation says so. Unknown ids are ignored.
    pub fn soft_delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<T>, RowError> {
        let Some(record) = self.table.soft_delete(tx, id, at.now())? else { return Ok(None) };
        link::soft_delete(tx, at, T::DEF.name, id)?;
        reference::soft_delete(tx, at, T::DEF.name, id)?;
        announce(tx, at, &change(Some(&record), None))?;
        Ok(Some(record))
    }

    /// Brings a soft-deleted record back, with the links and references that its deletion took, and no
    /// others.
    pub fn restore(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<T>, RowError> {
        let Some(record) = self.table.restore(tx, id)? else { return Ok(None) };
        announce(tx, at, &change(None, Some(&record)))?;
        link::restore(tx, at, T::DEF.name, id)?;
        reference::restore(tx, at, T::DEF.name, id)?;
        Ok(self.get(tx, record.id())?)
    }
}

impl<T: Entity> Service<T> {
    /// Changes a field of the live record with this id, if `change` says that it did.
    fn change_field(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        change_it: impl FnOnce(&mut T) -> bool,
    ) -> Result<(), RowError> {
        let Some(before) = self.get(tx, id)? else { return Ok(()) };
        let mut after = before.clone();
        if change_it(&mut after) {
            after.touch(at.now());
            self.table.replace(tx, &before, &after)?;
            announce(tx, at, &change(Some(&before), Some(&after)))?;
        }
        Ok(())
    }
}

fn change<'a, T: Entity>(before: Option<&'a T>, after: Option<&'a T>) -> Change<'a> {
    let record = |it: &'a T| it as &dyn Record;
    Change { of: T::DEF.name, before: before.map(record), after: after.map(record) }
}

/// A service, whatever its entity: what cascades need of it.
pub trait AnyService: Sync {
    /// Its rows.
    fn table(&self) -> &dyn TableSource;

    /// See [`Service::delete`].
    fn delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError>;

    /// See [`Service::soft_delete`].
    fn soft_delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError>;

    /// See [`Service::restore`].
    fn restore(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError>;

    /// Takes an id out of a field of the live record with this id.
    fn release(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        field: &str,
        gone: &str,
    ) -> Result<(), RowError>;

    /// Puts an id into a field of the live record with this id, where there is room.
    fn refer(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        field: &str,
        back: &str,
    ) -> Result<(), RowError>;

    /// A record of which these bytes are stored.
    fn read(&self, id: &str, bytes: &[u8]) -> Result<Node, StoreError>;

    /// The same record as today's program would have stored it.
    fn as_of_now(&self, id: &str, bytes: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Lets other records have the unique values that the live record with this id has, and did not have
    /// before.
    fn make_room(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>) -> Result<(), StoreError>;

    /// Makes the live record with this id what it was; nothing at all, where it was not there. This is no
    /// event: it undoes one.
    fn put_back(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>) -> Result<(), RowError>;
}

impl<T: Entity> AnyService for Service<T> {
    fn table(&self) -> &dyn TableSource {
        &self.table
    }

    fn delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError> {
        self.delete(tx, at, id).map(drop)
    }

    fn soft_delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError> {
        self.soft_delete(tx, at, id).map(drop)
    }

    fn restore(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError> {
        self.restore(tx, at, id).map(drop)
    }

    fn release(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        field: &str,
        gone: &str,
    ) -> Result<(), RowError> {
        self.change_field(tx, at, id, |it| it.release(field, gone))
    }

    fn refer(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        field: &str,
        back: &str,
    ) -> Result<(), RowError> {
        self.change_field(tx, at, id, |it| it.refer(field, back))
    }

    fn read(&self, id: &str, bytes: &[u8]) -> Result<Node, StoreError> {
        Ok(Arc::new(decode_record::<T>(T::DEF.name, id, bytes)?))
    }

    fn as_of_now(&self, id: &str, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(encode_record(&decode_record::<T>(T::DEF.name, id, bytes)?))
    }

    fn make_room(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>) -> Result<(), StoreError> {
        let Some(now) = self.get(tx, id)? else { return Ok(()) };
        let then: Option<T> = before.map(|bytes| decode_record(T::DEF.name, id, bytes)).transpose()?;
        self.table.release_unique(tx, &now, then.as_ref())
    }

    fn put_back(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>) -> Result<(), RowError> {
        let now = self.get(tx, id)?;
        let then: Option<T> = before.map(|bytes| decode_record(T::DEF.name, id, bytes)).transpose()?;
        match (&now, &then) {
            (None, Some(then)) => self.table.insert(tx, then)?,
            (Some(now), Some(then)) => self.table.replace(tx, now, then)?,
            (Some(_), None) => self.table.remove(tx, id).map(drop)?,
            (None, None) => {}
        }
        Ok(project(tx, &change(now.as_ref(), then.as_ref()))?)
    }
}

/// Lets `?` turn a `StoreError` into a module's error, which has a variant `Row(#[from] RowError)`.
#[macro_export]
macro_rules! store_errors {
    ($Error:ty) => {
        impl From<$crate::StoreError> for $Error {
            fn from(error: $crate::StoreError) -> Self {
                <$Error>::Row(error.into())
            }
        }
    };
}
