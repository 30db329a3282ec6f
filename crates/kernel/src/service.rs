//! CRUD, soft delete and restore for every entity, written once over its table, its links and the projections
//! that follow it.

use std::{any::Any, sync::Arc};

use atoll_storage::{WriteRows, decode_record, encode_record};

use crate::{
    Moment, Read, Registry, StoreError, Write,
    data::{Change, Entity, Index, Node, Record, RowError, Table, TableSource},
    link,
    projection::{announce, project},
    query::{Context, Env, ListQuery, QueryError, Visibility, list},
    reference,
};

/// The service of one entity: a set of functions that run inside a transaction.
pub struct Service<T: 'static> {
    /// The rows, to be read. They are written by the service, and links and projections follow.
    pub table: Table<T>,
    visibility: Visibility,
}

/// An update of a `T`.
pub trait Patch<T> {
    /// Changes the fields that it holds.
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
        Service { table: Table::new(indexes), visibility: Visibility::Admins }
    }

    /// The same service, whose records are visible to storefronts, too: as much as `visibility` says.
    pub const fn visible(self, visibility: Visibility) -> Self {
        Service { visibility, ..self }
    }

    /// The same service with an upper bound of bytes per record.
    pub const fn at_most(self, bytes_max: usize) -> Self {
        Service { table: self.table.at_most(bytes_max), ..self }
    }

    /// False if its module is switched off: its records are kept in the data, and nothing may read them.
    pub fn is_on(&self) -> bool {
        Registry::get().left_out.module_of(T::DEF.name).is_none()
    }

    /// The live record with this id.
    pub fn get(&self, tx: &dyn Read, id: &str) -> Result<Option<T>, StoreError> {
        self.table.get(tx, id)
    }

    /// The live record with this id, or `NotFound`.
    pub fn retrieve(&self, tx: &dyn Read, id: &str) -> Result<T, RowError> {
        self.get(tx, id)?.ok_or_else(|| RowError::NotFound { entity: T::DEF, id: id.to_owned() })
    }

    /// The live records that match `query`.
    pub fn list(&self, tx: &dyn Read, at: &Moment, query: ListQuery) -> Result<Vec<T>, QueryError> {
        Ok(self.list_and_count(tx, at, query)?.0)
    }

    /// The live records that match `query`, and their count on all pages.
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

    /// Creates a record, at the time of the transaction, with a new id unless it has one.
    pub fn create(&self, tx: &mut dyn Write, at: &Moment, mut record: T) -> Result<T, RowError> {
        let id = if record.id().is_empty() { at.id() } else { record.id().clone() };
        record.init(id, at.now());
        self.table.insert(tx, &record)?;
        announce(tx, at, &change(None, Some(&record)))?;
        Ok(record)
    }

    /// Changes the live record with this id; `NotFound` if there is none. Writes nothing if nothing changes.
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

    /// Creates the record, or replaces the one that has its id.
    pub fn upsert(&self, tx: &mut dyn Write, at: &Moment, record: T) -> Result<T, RowError>
    where
        T: PartialEq,
    {
        match self.get(tx, record.id())? {
            None => self.create(tx, at, record),
            Some(_) => {
                let id = record.id().clone();
                self.update(tx, at, &id, move |it: &mut T| it.assign(record))
            }
        }
    }

    /// Deletes the record with this id for good, and its links. Unknown ids are ignored.
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

    /// Soft-deletes the record with this id, and its links, until it is restored; references to it are
    /// cleared if their relation says so. Unknown ids are ignored.
    pub fn soft_delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<Option<T>, RowError> {
        let Some(record) = self.table.soft_delete(tx, id, at.now())? else { return Ok(None) };
        link::soft_delete(tx, at, T::DEF.name, id)?;
        reference::soft_delete(tx, at, T::DEF.name, id)?;
        announce(tx, at, &change(Some(&record), None))?;
        Ok(Some(record))
    }

    /// Restores a soft-deleted record, with the links and references that its deletion removed, and no
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
    /// Changes a field of the live record with this id, if `change` returns true.
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

/// A service with its entity type erased.
pub trait AnyService: Sync {
    /// Its rows.
    fn table(&self) -> &dyn TableSource;

    /// Who sees its records, besides admins.
    fn visibility(&self) -> Visibility;

    /// What it can write.
    #[doc(hidden)]
    fn writer(&self, by: Guard) -> &dyn RecordWriter;
}

/// The permission to write the records of any module, which only the kernel makes.
pub struct Guard(());

impl dyn AnyService {
    /// Writes its records, whatever they are: for cascades, and the undo of transactions.
    pub(crate) fn erased(&self) -> &dyn RecordWriter {
        self.writer(Guard(()))
    }
}

/// Writes the records of any service.
pub trait RecordWriter: AnyService {
    /// See [`Service::delete`].
    fn delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError>;

    /// See [`Service::soft_delete`].
    fn soft_delete(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError>;

    /// See [`Service::restore`].
    fn restore(&self, tx: &mut dyn Write, at: &Moment, id: &str) -> Result<(), RowError>;

    /// Clears an id in a field of the live record with this id.
    fn release(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        field: &str,
        gone: &str,
    ) -> Result<(), RowError>;

    /// Sets an id in a field of the live record with this id, if the field is empty.
    fn refer(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        id: &str,
        field: &str,
        back: &str,
    ) -> Result<(), RowError>;

    /// Deserialises a record.
    fn read(&self, id: &str, bytes: &[u8]) -> Result<Node, StoreError>;

    /// The record, serialised in the current version.
    fn as_of_now(&self, id: &str, bytes: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Frees the unique values of the live record with this id that it did not have before, so that other
    /// records can take them.
    fn make_room(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>) -> Result<(), StoreError>;

    /// Restores the live record with this id to an earlier state, or removes it if it did not exist then.
    /// Emits no event, since this is an undo.
    fn put_back(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>) -> Result<(), RowError>;

    /// As `put_back`, for the soft-deleted record with this id.
    fn put_back_deleted(&self, tx: &mut dyn Write, id: &str, before: Option<&[u8]>)
    -> Result<(), StoreError>;
}

impl<T: Entity> AnyService for Service<T> {
    fn table(&self) -> &dyn TableSource {
        &self.table
    }

    fn visibility(&self) -> Visibility {
        self.visibility
    }

    fn writer(&self, _: Guard) -> &dyn RecordWriter {
        self
    }
}

impl<T: Entity> RecordWriter for Service<T> {
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

    fn put_back_deleted(
        &self,
        tx: &mut dyn Write,
        id: &str,
        before: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let then: Option<T> = before.map(|bytes| decode_record(T::DEF.deleted, id, bytes)).transpose()?;
        self.table.replace_deleted(tx, id, then.as_ref())
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
