//! Backups: a snapshot of the store is copied into a file of its own, which says what is in it; and such a
//! file becomes a database again.
//!
//! The file is a database with the keys of the store and with notes: a manifest, and the small files that
//! belong to the data. It has its final name when it is whole, and not before.

use std::{collections::BTreeMap, fs, mem, path::Path};

use atoll_values::{Timestamp, limits::CACHE_BYTES};
use serde::{Deserialize, Serialize};

use crate::{
    Changes, Direction, Engine as _, Position, Progress, Scan, Span, StoreError, View,
    checksum::Digest,
    engines::Redb,
    files::{put_in_place, with_suffix},
};

/// Bytes of keys and values that are written by one transaction: many, since each is flushed to the disk, and
/// few enough to be held in memory.
const BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Memory for the pages of the file that is written. Keys come in their order, so none is read again.
const CACHE_BYTES_WRITING: usize = BATCH_BYTES;

/// What names of files end in while they are written.
pub const PART: &str = ".part";

/// The name of the manifest among the notes, and what the names of the small files begin with there.
const MANIFEST: &str = "manifest";
const BESIDE: &str = "beside/";

/// Small files that belong to the data and lie beside the database, by name: secrets.
pub type Beside = BTreeMap<String, Vec<u8>>;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The last commit that is in it.
    pub position: Position,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// The format of the store in it.
    pub store_format: u16,
    /// The number of keys.
    pub n_keys: u64,
    /// The CRC-32C of all keys with their values, and of the small files with their names.
    pub checksum: u32,
}

impl View {
    /// Copies the whole snapshot into a new file, together with the small files beside it. Reads every key,
    /// so it takes long, and is no work for a thread that answers requests.
    ///
    /// Errors: a value is damaged (a backup that holds the damage would replace those that do not), the disk
    /// is full, it was stopped. Nothing is left then; what a killed process leaves ends in [`PART`].
    pub fn back_up(
        &self,
        file: &Path,
        made_at: Timestamp,
        version: &str,
        beside: &Beside,
        progress: &Progress,
    ) -> Result<Manifest, StoreError> {
        let part = with_suffix(file, PART);
        let redb = Redb::create_new(&part, CACHE_BYTES_WRITING)?;
        let placed = self.copy_into(redb, made_at, version, beside, progress).and_then(|manifest| {
            put_in_place(&part, file).map_err(|error| failed("write", file, &error))?;
            Ok(manifest)
        });
        if placed.is_err() {
            // The error says what was wrong; the next backup into this folder removes what is left.
            let _ = fs::remove_file(&part);
        }
        placed
    }

    fn copy_into(
        &self,
        mut to: Redb,
        made_at: Timestamp,
        version: &str,
        beside: &Beside,
        progress: &Progress,
    ) -> Result<Manifest, StoreError> {
        progress.expect(self.n_keys()?);
        let (mut batch, mut n_bytes, mut n_keys) = (Changes::new(), 0, 0);
        let mut digest = Digest::default();
        self.stored(&mut |key, stored| {
            progress.count()?;
            digest.add(key, stored);
            n_keys += 1;
            n_bytes += key.len() + stored.len();
            batch.insert(key.to_vec(), Some(stored.to_vec()));
            if n_bytes >= BATCH_BYTES {
                to.commit(&mem::take(&mut batch))?;
                n_bytes = 0;
            }
            Ok(Scan::Continue(()))
        })?;
        to.commit(&batch)?;
        beside.iter().for_each(|(name, content)| digest.add(name.as_bytes(), content));
        let manifest = Manifest {
            position: self.position(),
            made_at,
            version: version.to_owned(),
            store_format: self.format()?,
            n_keys,
            checksum: digest.sum(),
        };
        let json = serde_json::to_vec(&manifest).expect("numbers and texts are JSON");
        let small = beside.iter().map(|(name, content)| (format!("{BESIDE}{name}"), content.clone()));
        to.write_notes(&small.chain([(MANIFEST.to_owned(), json)]).collect())?;
        to.close()?;
        Ok(manifest)
    }
}

impl Manifest {
    /// What a backup says of itself; its content is not read. Errors: the file is none.
    pub fn read(file: &Path) -> Result<Manifest, StoreError> {
        let notes = Redb::notes_of(file).map_err(|error| no_backup(file, &error.to_string()))?;
        let notes = notes.ok_or_else(|| no_backup(file, "it has no manifest"))?;
        Manifest::of(file, &notes)
    }

    fn of(file: &Path, notes: &BTreeMap<String, Vec<u8>>) -> Result<Manifest, StoreError> {
        let json = notes.get(MANIFEST).ok_or_else(|| no_backup(file, "it has no manifest"))?;
        serde_json::from_slice(json).map_err(|error| no_backup(file, &format!("its manifest: {error}")))
    }
}

/// Makes the database `to` of a backup. Every page, key and value is compared with what the backup says of
/// itself. Returns that, and the small files that lie beside the database.
///
/// Errors: the file is no backup, or is damaged. What was written to `to` is no database then.
pub fn restore(from: &Path, to: &Path) -> Result<(Manifest, Beside), StoreError> {
    let manifest = Manifest::read(from)?;
    fs::copy(from, to).map_err(|error| failed("write", to, &error))?;
    let damaged = |why: &str| StoreError::Format(format!("`{}` is damaged: {why}", from.display()));
    let redb = Redb::open_checked(to, CACHE_BYTES).map_err(|error| damaged(&error.to_string()))?;
    let notes = redb.notes()?.ok_or_else(|| damaged("its manifest is gone"))?;
    if Manifest::of(from, &notes)? != manifest {
        return Err(damaged("its manifest does not read back"));
    }
    let (mut n_keys, mut digest) = (0, Digest::default());
    let all = Span::prefix(&[]);
    let mut add = |key: &[u8], stored: &[u8]| {
        n_keys += 1;
        digest.add(key, stored);
        Ok(Scan::Continue(()))
    };
    redb.snapshot()?
        .scan(&all, Direction::Ascending, &mut add, &mut |_, _| Ok(()))
        .map_err(|error| damaged(&error.to_string()))?;
    let mut beside = Beside::new();
    for (name, content) in notes {
        if let Some(name) = name.strip_prefix(BESIDE) {
            digest.add(name.as_bytes(), &content);
            beside.insert(name.to_owned(), content);
        }
    }
    if (n_keys, digest.sum()) != (manifest.n_keys, manifest.checksum) {
        return Err(damaged(&format!(
            "{n_keys} keys read back, of {}, or not as they were",
            manifest.n_keys
        )));
    }
    redb.remove_notes()?;
    redb.close()?;
    Ok((manifest, beside))
}

fn no_backup(file: &Path, why: &str) -> StoreError {
    StoreError::Format(format!("`{}` is no backup: {why}", file.display()))
}

fn failed(what: &str, file: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Engine(format!("failed to {what} `{}`: {error}", file.display()))
}
