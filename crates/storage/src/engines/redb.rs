//! The default engine: one redb file, one table of bytes.

use std::{
    any::Any,
    cmp::Ordering,
    collections::BTreeMap,
    fs,
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use redb::{
    AccessGuard, Builder, Database, Durability, ReadOnlyDatabase, ReadOnlyTable, ReadableDatabase,
    ReadableTable, ReadableTableMetadata, TableDefinition, TableError, backends::FileBackend,
};

use atoll_values::limits::CACHE_BYTES;

use crate::{
    Changes, Direction, Engine, Neighbours, Raw, Span, StoreError, Visit,
    engine::size,
    files::{create_private, put_in_place, with_suffix},
};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("atoll");

/// What a file says of itself, beside the table of the store.
const NOTES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("backup");

/// Bytes that are applied without a flush: until one, redb reuses no space of what was deleted, and a crash
/// has them fetched again.
const UNFLUSHED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Commits that are applied without a flush: each of them, however small, leaves some pages that are not
/// reused.
const UNFLUSHED_COMMITS_MAX: usize = 1_000;

/// Notes by their names.
pub(crate) type Notes = BTreeMap<String, Vec<u8>>;

/// A redb database. It is locked while it is open, so a second process is refused.
pub struct Redb {
    database: Database,
    unflushed: Unflushed,
}

/// What was applied since the last flush.
#[derive(Default)]
struct Unflushed {
    n_commits: usize,
    n_bytes: u64,
}

impl Redb {
    /// As [`Redb::open_with`], with a cache of the default size.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::open_with(file, CACHE_BYTES)
    }

    /// Opens the file, or creates it with access for its owner only. An empty file was truncated, and is
    /// refused: it is never turned into an empty database. `cache_bytes` is the memory for pages of the file,
    /// those that a commit is about to write included.
    pub fn open_with(file: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        match fs::metadata(file) {
            Ok(it) if it.len() == 0 => {
                return Err(StoreError::Format(format!(
                    "`{}` is empty: what was in it is gone; put a copy of it back, or remove it to begin anew",
                    file.display()
                )));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(file)?,
            Err(error) => return Err(StoreError::Engine(format!("`{}`: {error}", file.display()))),
        }
        open(file, cache_bytes, false)
    }

    /// A database in an unnamed temporary file, which is deleted when it is dropped.
    pub fn temporary() -> Result<Self, StoreError> {
        let file = tempfile::tempfile()
            .map_err(|error| StoreError::Engine(format!("no temporary file: {error}")))?;
        let backend = FileBackend::new(file).map_err(failed)?;
        let database = builder(CACHE_BYTES).create_with_backend(backend).map_err(failed)?;
        create_table(&database)?;
        Ok(Redb::over(database))
    }

    fn over(database: Database) -> Redb {
        Redb { database, unflushed: Unflushed::default() }
    }

    /// Opens the file after an integrity check of all pages, with repair where possible. Reads the whole
    /// file.
    pub fn open_checked(file: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        open(file, cache_bytes, true)
    }

    /// Creates a new file, for its owner alone. Errors: it exists; otherwise nothing is left of it.
    pub(crate) fn create_new(file: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        create_private(file).map_err(|error| making(file, error))?;
        let database = builder(cache_bytes).create(file).map_err(|error| opening(file, error));
        let made = database.and_then(|database| create_table(&database).map(|()| Redb::over(database)));
        if made.is_err() {
            // The error says what was wrong.
            let _ = fs::remove_file(file);
        }
        made
    }

    /// Closes the file. On `Ok` it is complete.
    pub(crate) fn close(self) -> Result<(), StoreError> {
        self.database.close().map_err(failed)
    }

    /// Writes notes beside the table of the store.
    pub(crate) fn write_notes(&self, notes: &Notes) -> Result<(), StoreError> {
        let tx = self.database.begin_write().map_err(failed)?;
        {
            let mut table = tx.open_table(NOTES).map_err(failed)?;
            for (name, note) in notes {
                table.insert(name.as_str(), note.as_slice()).map_err(failed)?;
            }
        }
        tx.commit().map_err(failed)
    }

    /// The notes beside the table of the store; `None` if there are none.
    pub(crate) fn notes(&self) -> Result<Option<Notes>, StoreError> {
        notes(&self.database)
    }

    /// As `notes`, of a file that is not written to, and need not be writable.
    pub(crate) fn notes_of(file: &Path) -> Result<Option<Notes>, StoreError> {
        let opened =
            catch_panic(|| builder(CACHE_BYTES).open_read_only(file).map_err(|it| opening(file, it)));
        notes(&opened?)
    }

    /// Removes the notes.
    pub(crate) fn remove_notes(&self) -> Result<(), StoreError> {
        let tx = self.database.begin_write().map_err(failed)?;
        tx.delete_table(NOTES).map_err(failed)?;
        tx.commit().map_err(failed)
    }

    /// Copies the file, which is locked meanwhile. One that a crash left behind is repaired first.
    pub fn copy(file: &Path, to: &Path) -> Result<(), StoreError> {
        let opened = match ReadOnlyDatabase::open(file) {
            Err(redb::DatabaseError::RepairAborted) => {
                drop(Self::open(file)?);
                ReadOnlyDatabase::open(file)
            }
            opened => opened,
        };
        let _locked = opened.map_err(|error| opening(file, error))?;
        fs::copy(file, to)
            .map(drop)
            .map_err(|error| StoreError::Engine(format!("failed to write `{}`: {error}", to.display())))
    }

    /// Makes the file as small as its content allows, and closes it: moves its last pages into free ones
    /// before them, and cuts off the end. It does so in transactions, so a crash loses nothing, and the next
    /// opening finds the file somewhere in between.
    pub fn compact(mut self) -> Result<(), StoreError> {
        self.database.compact().map_err(failed)?;
        self.close()
    }
}

fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes);
    builder
}

fn open(file: &Path, cache_bytes: usize, checked: bool) -> Result<Redb, StoreError> {
    let mut builder = builder(cache_bytes);
    builder.set_check_integrity_on_open(checked);
    let database = catch_panic(|| builder.open(file).map_err(|error| opening(file, error)))?;
    let redb = Redb::over(database);
    // A missing table is damage, since the file was created with it.
    redb.snapshot()?;
    Ok(redb)
}

/// Creates the file under a temporary name and renames it, so that it exists complete or not at all.
fn create(file: &Path) -> Result<(), StoreError> {
    let new = with_suffix(file, ".new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(making(file, error)),
        _ => {}
    }
    Redb::create_new(&new, CACHE_BYTES)?.close()?;
    put_in_place(&new, file).map_err(|error| making(file, error))
}

fn create_table(database: &Database) -> Result<(), StoreError> {
    let tx = database.begin_write().map_err(failed)?;
    tx.open_table(TABLE).map_err(failed)?;
    tx.commit().map_err(failed)
}

fn notes(database: &impl ReadableDatabase) -> Result<Option<Notes>, StoreError> {
    catch_panic(|| {
        let table = match database.begin_read().map_err(failed)?.open_table(NOTES) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut notes = Notes::new();
        for note in table.iter().map_err(failed)? {
            let (name, note) = note.map_err(failed)?;
            notes.insert(name.value().to_owned(), note.value().to_vec());
        }
        Ok(Some(notes))
    })
}

impl Engine for Redb {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        catch_panic(|| {
            let tx = self.database.begin_read().map_err(failed)?;
            Ok(Arc::new(Snapshot(tx.open_table(TABLE).map_err(failed)?)) as Arc<dyn Raw>)
        })
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.write(changes, Durability::Immediate)
    }

    fn apply(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let unflushed = &mut self.unflushed;
        unflushed.n_commits += 1;
        unflushed.n_bytes += size(changes);
        let is_full =
            unflushed.n_commits >= UNFLUSHED_COMMITS_MAX || unflushed.n_bytes >= UNFLUSHED_BYTES_MAX;
        self.write(changes, if is_full { Durability::Immediate } else { Durability::None })
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.unflushed.n_commits > 0 { self.commit(&Changes::new()) } else { Ok(()) }
    }
}

impl Redb {
    fn write(&mut self, changes: &Changes, durability: Durability) -> Result<(), StoreError> {
        let mut tx = self.database.begin_write().map_err(failed)?;
        tx.set_durability(durability).map_err(failed)?;
        {
            let mut table = tx.open_table(TABLE).map_err(failed)?;
            for (key, change) in changes {
                match change {
                    Some(value) => table.insert(key.as_slice(), value.as_slice()).map_err(failed)?,
                    None => table.remove(key.as_slice()).map_err(failed)?,
                };
            }
        }
        tx.commit().map_err(failed)?;
        if matches!(durability, Durability::Immediate) {
            self.unflushed = Unflushed::default();
        }
        Ok(())
    }
}

type Bytes = &'static [u8];
type Entry<'a> = (AccessGuard<'a, Bytes>, AccessGuard<'a, Bytes>);

/// A read transaction, which the table keeps open.
struct Snapshot(ReadOnlyTable<Bytes, Bytes>);

impl Raw for Snapshot {
    fn get(&self, key: &[u8], neighbours: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        let found = catch_panic(|| Ok(self.0.get(key).map_err(failed)?.map(|value| value.value().to_vec())))?;
        if found.is_none() {
            let mut cursor = catch_panic(|| self.0.lower_bound(Bound::Included(key)).map_err(failed))?;
            let before = entry(|| cursor.peek_prev())?;
            show(before, key, Ordering::Less, neighbours)?;
            show(entry(|| cursor.peek_next())?, key, Ordering::Greater, neighbours)?;
        }
        Ok(found)
    }

    fn scan(
        &self,
        span: &Span,
        direction: Direction,
        visit: &mut Visit<'_>,
        neighbours: &mut Neighbours<'_>,
    ) -> Result<(), StoreError> {
        if span.end.as_ref().is_some_and(|end| *end <= span.start) {
            return Ok(());
        }
        let start = span.start.as_slice();
        let mut cursor = catch_panic(|| {
            match (direction, &span.end) {
                (Direction::Ascending, _) => self.0.lower_bound(Bound::Included(start)),
                (Direction::Descending, Some(end)) => self.0.upper_bound(Bound::Excluded(end.as_slice())),
                (Direction::Descending, None) => self.0.upper_bound(Bound::<&[u8]>::Unbounded),
            }
            .map_err(failed)
        })?;
        match (direction, &span.end) {
            (Direction::Ascending, _) => {
                let before = entry(|| cursor.peek_prev())?;
                show(before, start, Ordering::Less, neighbours)?;
            }
            (Direction::Descending, Some(end)) => {
                let behind = entry(|| cursor.peek_next())?;
                // The neighbour behind the span may be the key at its end.
                if behind.as_ref().is_none_or(|(key, _)| key.value() != end.as_slice()) {
                    show(behind, end, Ordering::Greater, neighbours)?;
                }
            }
            (Direction::Descending, None) => {}
        }
        let mut last: Option<AccessGuard<'_, Bytes>> = None;
        loop {
            let next = entry(|| match direction {
                Direction::Ascending => cursor.next(),
                Direction::Descending => cursor.prev(),
            })?;
            let Some((key, value)) = next else { return Ok(()) };
            let is_next = last.as_ref().is_none_or(|last| match direction {
                Direction::Ascending => last.value() < key.value(),
                Direction::Descending => last.value() > key.value(),
            });
            if !is_next {
                return Err(out_of_order());
            }
            let is_within = match direction {
                Direction::Ascending => span.end.as_ref().is_none_or(|end| key.value() < end.as_slice()),
                Direction::Descending => key.value() >= start,
            };
            if !is_within {
                return neighbours(key.value(), value.value());
            }
            if visit(key.value(), value.value())?.is_break() {
                return Ok(());
            }
            last = Some(key);
        }
    }

    fn n_entries(&self) -> Result<u64, StoreError> {
        self.0.len().map_err(failed)
    }
}

/// Reads an entry and touches its bytes.
fn entry<'a>(
    read: impl FnOnce() -> Result<Option<Entry<'a>>, redb::StorageError>,
) -> Result<Option<Entry<'a>>, StoreError> {
    catch_panic(|| {
        let entry = read().map_err(failed)?;
        // Its offset in the page may be damaged; touching the bytes panics here and not in a caller.
        if let Some((key, value)) = &entry {
            let _ = (key.value(), value.value());
        }
        Ok(entry)
    })
}

/// Passes on a neighbour of `key`, after checking that it is on the right side of it.
fn show(
    entry: Option<Entry<'_>>,
    key: &[u8],
    side: Ordering,
    neighbours: &mut Neighbours<'_>,
) -> Result<(), StoreError> {
    let Some((neighbour, value)) = entry else { return Ok(()) };
    neighbours(neighbour.value(), value.value())?;
    if neighbour.value().cmp(key) == side { Ok(()) } else { Err(out_of_order()) }
}

fn out_of_order() -> StoreError {
    StoreError::Engine("keys are out of order: the file was damaged".into())
}

fn making(file: &Path, error: std::io::Error) -> StoreError {
    StoreError::Engine(format!("failed to make `{}`: {error}", file.display()))
}

fn opening(file: &Path, error: redb::DatabaseError) -> StoreError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => {
            StoreError::Engine(format!("`{}` is in use by another process", file.display()))
        }
        error => failed(error),
    }
}

fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Engine(error.into().to_string())
}

/// Runs a read of redb; a panic over a damaged page becomes an error.
fn catch_panic<T>(read: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let panicked = |_: Box<dyn Any + Send>| {
        Err(StoreError::Engine("a page does not read back: the file was damaged".into()))
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(panicked)
}
