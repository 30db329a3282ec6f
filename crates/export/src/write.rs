//! Writing an export: every file is written as a stream, and the folder has its name when all of them are on
//! the disk.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use atoll_kernel::{
    Registry, StoreError, Timestamp,
    data::View,
    export::{LEFT_OUT, Section},
    migration::{MigrationError, Plan},
};
use atoll_storage::{
    PART, Progress,
    files::{create_private, folder_of, with_suffix},
};
use atoll_values::hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::manifest::{ExportedFile, FORMAT, LeftOut, Manifest, SUFFIX};

/// Bytes that are held before they are written, and after which the disk is looked at.
const BUFFER_BYTES: usize = 1024 * 1024;

/// Has the disk room for more? Asked before each file, and for each buffer that is written.
pub type Room<'a> = &'a dyn Fn() -> bool;

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such folder. It is not made: it may be a disk that is not there.
    #[error("there is no folder `{0}`")]
    NoFolder(PathBuf),
    /// The name of the new folder is taken.
    #[error("`{0}` exists already, and is not replaced")]
    Exists(PathBuf),
    /// The disk is nearly full.
    #[error("the disk of `{0}` is nearly full")]
    NoRoom(PathBuf),
    /// The file system refused something.
    #[error("failed to {what} `{path}`")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// With this file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This program cannot read the data.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// Does it with this file or folder.
fn at<T>(what: &'static str, path: &Path, done: io::Result<T>) -> Result<T, ExportError> {
    done.map_err(|source| ExportError::Io { what, path: path.to_owned(), source })
}

/// Exports a view into the new folder `to`, which only its owner can read. Reads every record, so it takes
/// long, and is no work for a thread that answers requests. The view is released before the files are flushed
/// to the disk.
///
/// Errors: the folder exists, a record is damaged, the disk is full or has no room, it was stopped. Nothing
/// is left then; what a killed process leaves ends in [`PART`], and is removed by the next export to this
/// name.
pub fn export(
    view: View,
    registry: &'static Registry,
    to: &Path,
    made_at: Timestamp,
    progress: &Progress,
    has_room: Room<'_>,
) -> Result<Manifest, ExportError> {
    if to.exists() {
        return Err(ExportError::Exists(to.to_owned()));
    }
    if !folder_of(to).is_dir() {
        return Err(ExportError::NoFolder(folder_of(to).to_owned()));
    }
    let part = with_suffix(to, PART);
    // Held until the end: whoever finds the folder sees that somebody is at it.
    let _lock = begin(&part)?;
    let written = Writing { folder: &part, progress, has_room }.all(view, registry, made_at);
    let placed = written.and_then(|manifest| {
        at("write", to, fs::rename(&part, to))?;
        at("write", folder_of(to), File::open(folder_of(to)).and_then(|it| it.sync_all()))?;
        Ok(manifest)
    });
    if placed.is_err() {
        // The error says what was wrong; the next export to this name removes what is left.
        let _ = fs::remove_dir_all(&part);
    }
    placed
}

/// Makes the folder, with mode 0700, in place of one that a killed process has left. Returns it, locked.
fn begin(part: &Path) -> Result<File, ExportError> {
    remove_half(part)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    at("create", part, builder.create(part))?;
    let folder = at("read", part, File::open(part))?;
    // Not every file system can lock; there an export that is under way is not told from one that was killed.
    let _ = folder.try_lock();
    Ok(folder)
}

/// Removes what a killed process has left of an export, a folder whose name ends in [`PART`]; one that is
/// being written is locked, and stays. Errors: it holds what no export writes, so it is somebody else's.
pub fn remove_half(part: &Path) -> Result<(), ExportError> {
    match File::open(part) {
        Ok(left) if left.try_lock().is_ok() => match at("read", part, is_of_export(part))? {
            true => at("remove", part, fs::remove_dir_all(part)),
            false => Err(ExportError::Exists(part.to_owned())),
        },
        Err(error) if error.kind() != io::ErrorKind::NotFound => at("read", part, Err(error)),
        _ => Ok(()),
    }
}

/// Does the folder hold files of an export, and nothing else?
fn is_of_export(part: &Path) -> io::Result<bool> {
    let manifest = Manifest::path_in(part);
    for entry in fs::read_dir(part)? {
        let file = entry?.path();
        if file != manifest && !file.to_string_lossy().ends_with(SUFFIX) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// An export that is being written.
struct Writing<'a> {
    folder: &'a Path,
    progress: &'a Progress,
    has_room: Room<'a>,
}

impl Writing<'_> {
    fn all(
        &self,
        view: View,
        registry: &'static Registry,
        made_at: Timestamp,
    ) -> Result<Manifest, ExportError> {
        // Of data that is not migrated yet, it also makes the shapes of its records known.
        let plan = Plan::of(&view, registry)?;
        let (position, sections) = (view.position(), registry.sections());
        let n_lines = sections.iter().map(|it| it.n_lines(&view)).sum::<Result<u64, _>>()?;
        self.progress.expect(n_lines);
        let files = sections.iter().map(|it| self.file(&view, it)).collect::<Result<Vec<_>, _>>()?;
        drop(view);
        let left_out =
            LEFT_OUT.iter().map(|(name, why)| LeftOut { name: (*name).into(), why: (*why).into() });
        let manifest = Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            position,
            made_at,
            files,
            left_out: left_out.collect(),
            notes: plan.notes,
        };
        let file = Manifest::path_in(self.folder);
        let json = serde_json::to_vec_pretty(&manifest).expect("numbers and texts are JSON");
        at("write", &file, create_private(&file).and_then(|mut it| it.write_all(&json)))?;
        self.flush()?;
        Ok(manifest)
    }

    fn file(&self, view: &View, section: &Section) -> Result<ExportedFile, ExportError> {
        let (name, record_version) = (section.name(), section.version());
        let path = self.folder.join(format!("{name}{SUFFIX}"));
        self.check_room()?;
        let mut out = Out::create(&path)?;
        // A scan can end with an error of the store alone.
        let mut failed = None;
        let scanned = section.lines(view, &mut |line| {
            self.progress.count()?;
            let written = out.line(line).and_then(|is_due| if is_due { self.check_room() } else { Ok(()) });
            written.map_err(|error| {
                failed = Some(error);
                StoreError::Stopped("the export cannot be written".into())
            })
        });
        failed.map_or(Ok(()), Err)?;
        scanned?;
        let Out { mut file, n_lines, bytes, sha, .. } = out;
        at("write", &path, file.flush())?;
        Ok(ExportedFile { name, record_version, n_lines, bytes, sha256: hex(&sha.finalize()) })
    }

    fn check_room(&self) -> Result<(), ExportError> {
        if (self.has_room)() { Ok(()) } else { Err(ExportError::NoRoom(folder_of(self.folder).to_owned())) }
    }

    /// Has all files, and the folder itself, on the disk.
    fn flush(&self) -> Result<(), ExportError> {
        for entry in at("read", self.folder, fs::read_dir(self.folder))? {
            let path = at("read", self.folder, entry)?.path();
            at("write", &path, File::open(&path).and_then(|it| it.sync_all()))?;
        }
        at("write", self.folder, File::open(self.folder).and_then(|it| it.sync_all()))
    }
}

/// A file that is being written.
struct Out<'a> {
    path: &'a Path,
    file: BufWriter<File>,
    sha: Sha256,
    n_lines: u64,
    bytes: u64,
    line: Vec<u8>,
}

impl Out<'_> {
    fn create(path: &Path) -> Result<Out<'_>, ExportError> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, at("create", path, create_private(path))?);
        Ok(Out { path, file, sha: Sha256::new(), n_lines: 0, bytes: 0, line: Vec::new() })
    }

    /// Writes a line. Returns whether the disk is to be looked at.
    fn line(&mut self, value: &Value) -> Result<bool, ExportError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value).expect("JSON is written into memory");
        self.line.push(b'\n');
        at("write", self.path, self.file.write_all(&self.line))?;
        self.sha.update(&self.line);
        self.n_lines += 1;
        let n_buffers = self.bytes / BUFFER_BYTES as u64;
        self.bytes += self.line.len() as u64;
        Ok(self.bytes / BUFFER_BYTES as u64 > n_buffers)
    }
}
