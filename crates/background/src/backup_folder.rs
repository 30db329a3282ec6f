//! Folders of backups: names of files, the list of them, how many are kept, and what a crash left.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use atoll_kernel::{Fault, FaultKind, StoreError, Timestamp, data::View};
use atoll_storage::{Beside, PART, Position, Progress, files::folder_of};
use serde::{Deserialize, Serialize};

/// What names of backups begin and end with.
const PREFIX: &str = "atoll-";
const SUFFIX: &str = ".backup";

/// Bytes of a small file beside the database. A secret has some dozen.
const BESIDE_BYTES_MAX: u64 = 64 * 1024;

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// The name of the file.
    pub name: String,
    /// The last commit that is in it.
    pub position: Position,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The size of the file.
    pub bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no such folder. It is not made: it may be a disk that is not there.
    #[error("there is no folder `{0}`")]
    NoFolder(PathBuf),
    /// The name of the new file is taken.
    #[error("`{0}` exists already, and is not replaced")]
    Exists(PathBuf),
    /// Another one is going on.
    #[error("another backup is going on")]
    Busy,
    /// No folder is set.
    #[error("the setting `backup_dir` names no folder for backups")]
    NotSet,
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
    /// The disk that the backup is written to has too little left.
    #[error(
        "the disk of `{folder}` is nearly full: {free_bytes} bytes are free, and {min_bytes} must stay so"
    )]
    DiskFull {
        /// The folder that it was to be in.
        folder: PathBuf,
        /// What was free.
        free_bytes: u64,
        /// What a backup leaves.
        min_bytes: u64,
    },
    /// It is whole, and a storage elsewhere did not take it.
    #[error("`{name}` is whole, and was not copied to `{id}`")]
    Elsewhere {
        /// The backup.
        name: String,
        /// The backup storage.
        id: &'static str,
        /// Why it was not copied.
        #[source]
        source: Box<Fault>,
    },
    /// The store cannot be read, or the file not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Fault {
        match error {
            BackupError::Busy => Fault::new(FaultKind::Conflict, "Another backup is going on"),
            BackupError::NotSet => Fault::not_allowed("The setting `backup_dir` names no folder for backups"),
            BackupError::NoFolder(_) | BackupError::Exists(_) => Fault::not_allowed(error.to_string()),
            BackupError::DiskFull { .. } => Fault::of(507, "insufficient_storage", error.to_string()),
            BackupError::Io { .. } | BackupError::Elsewhere { .. } => Fault::unexpected(error),
            BackupError::Store(error) => error.into(),
        }
    }
}

/// Does it with this file or folder.
fn at<T>(what: &'static str, path: &Path, done: io::Result<T>) -> Result<T, BackupError> {
    done.map_err(|source| BackupError::Io { what, path: path.to_owned(), source })
}

/// Backs a view up to a new file; in a folder it gets a name by moment and position. `beside` are small files
/// that belong to the data, and need not exist. Errors: as [`View::back_up`]; a file that exists.
pub fn back_up(
    view: &View,
    to: &Path,
    made_at: Timestamp,
    beside: &[PathBuf],
    progress: &Progress,
) -> Result<(PathBuf, BackupFile), BackupError> {
    let (folder, file) = match to.is_dir() {
        true => (to, to.join(name_of(made_at, view.position()))),
        false if to.exists() => return Err(BackupError::Exists(to.to_owned())),
        false => (folder_of(to), to.into()),
    };
    if !folder.is_dir() {
        return Err(BackupError::NoFolder(folder.to_owned()));
    }
    remove_left_over(folder, &file)?;
    let version = env!("CARGO_PKG_VERSION");
    let manifest = view.back_up(&file, made_at, version, &read_beside(beside)?, progress)?;
    let name = file.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes = at("read", &file, fs::metadata(&file))?.len();
    Ok((file, BackupFile { name, position: manifest.position, made_at, bytes }))
}

fn read_beside(files: &[PathBuf]) -> Result<Beside, BackupError> {
    let mut beside = Beside::new();
    for file in files {
        let Some(name) = file.file_name() else { continue };
        match fs::metadata(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Ok(it) if it.len() > BESIDE_BYTES_MAX => {
                let source = io::Error::other(format!("it has more than {BESIDE_BYTES_MAX} bytes"));
                return Err(BackupError::Io { what: "back up", path: file.clone(), source });
            }
            _ => {}
        }
        beside.insert(name.to_string_lossy().into_owned(), at("read", file, fs::read(file))?);
    }
    Ok(beside)
}

/// The name of a backup: `atoll-20261127T214400Z-000000012345.backup`. Names sort by moment.
fn name_of(made_at: Timestamp, position: Position) -> String {
    format!("{}{SUFFIX}", stamp(made_at, position))
}

/// A moment and a position as a name without its ending: `atoll-20261127T214400Z-000000012345`.
pub(crate) fn stamp(made_at: Timestamp, position: Position) -> String {
    let moment: String = made_at.to_string().chars().filter(|it| !matches!(it, '-' | ':')).collect();
    let seconds = moment.split('.').next().unwrap_or(&moment);
    format!("{PREFIX}{seconds}Z-{:012}", position.0)
}

/// The moment and the position that are in the name of a backup; `None` if it is another file.
fn parsed(name: &str) -> Option<(Timestamp, Position)> {
    let (moment, position) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
    let position = Position(position.parse().ok()?);
    let (date, time) = moment.strip_suffix('Z')?.split_once('T')?;
    let is_digits = |it: &str, n: usize| it.len() == n && it.bytes().all(|it| it.is_ascii_digit());
    if !is_digits(date, 8) || !is_digits(time, 6) {
        return None;
    }
    let [year, month, day] = [&date[..4], &date[4..6], &date[6..]];
    let [hour, minute, second] = [&time[..2], &time[2..4], &time[4..]];
    let made_at = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()?;
    (name_of(made_at, position) == name).then_some((made_at, position))
}

/// Is it the name of a backup by moment and position?
pub(crate) fn is_backup(name: &str) -> bool {
    parsed(name).is_some()
}

/// The backups of a folder that have names by moment and position, the newest first.
pub fn backups_in(folder: &Path) -> Result<Vec<BackupFile>, BackupError> {
    let mut files = Vec::new();
    for entry in at("read", folder, fs::read_dir(folder))? {
        let entry = at("read", folder, entry)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((made_at, position)) = parsed(&name)
            // One that was removed meanwhile is none.
            && let Ok(known) = entry.metadata()
            && known.is_file()
        {
            files.push(BackupFile { name, position, made_at, bytes: known.len() });
        }
    }
    files.sort_by(|one, other| other.name.cmp(&one.name));
    Ok(files)
}

/// Removes the oldest backups beyond so many; never `newest`, whatever the clock has been set to since.
pub(crate) fn keep(folder: &Path, n_max: usize, newest: &str) -> Result<(), BackupError> {
    let others = backups_in(folder)?.into_iter().filter(|it| it.name != newest);
    for old in others.skip(n_max.saturating_sub(1)) {
        let file = folder.join(&old.name);
        at("remove", &file, fs::remove_file(&file))?;
        tracing::info!(file = %file.display(), "removed an old backup");
    }
    Ok(())
}

/// Removes what killed processes left half written in this folder: of backups with names by moment and
/// position, and of `file`. What is being written is locked, and stays.
fn remove_left_over(folder: &Path, file: &Path) -> Result<(), BackupError> {
    for entry in at("read", folder, fs::read_dir(folder))? {
        let entry = at("read", folder, entry)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_backup = |it: &str| parsed(it).is_some() || file.file_name() == Some(OsStr::new(it));
        let is_half = name.strip_suffix(PART).is_some_and(is_backup);
        let is_free = |file: &Path| File::open(file).is_ok_and(|it| it.try_lock().is_ok());
        if is_half && is_free(&entry.path()) {
            at("remove", &entry.path(), fs::remove_file(entry.path()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_moment_and_position() {
        let at: Timestamp = "2026-11-27T21:44:00.987Z".parse().expect("a date");
        let name = name_of(at, Position(12_345));
        assert_eq!(name, "atoll-20261127T214400Z-000000012345.backup");
        let second = "2026-11-27T21:44:00Z".parse().expect("a date");
        assert_eq!(parsed(&name), Some((second, Position(12_345))));
        let large = name_of(at, Position(u64::MAX));
        assert_eq!(parsed(&large), Some((second, Position(u64::MAX))));
        for other in [
            "atoll.redb",
            "atoll-20261127T214400Z-000000012345.backup.part",
            "atoll-20261127T214400Z-12345.backup",
            "atoll-20261327T214400Z-000000012345.backup",
            "atoll-2026112äT21440Z-000000012345.backup",
            "atoll-20261127T214400Z--00000012345.backup",
            "atoll-before-the-update.backup",
        ] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }

    #[test]
    fn oldest_backups_are_removed_and_other_files_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000);
        let names: Vec<String> = (0..5).map(|n| name_of(at(n), Position(9 - n as u64))).collect();
        let half = format!("{}{PART}", names[0]);
        for name in names.iter().map(String::as_str).chain(["mine.backup", "notes.txt", half.as_str()]) {
            fs::write(folder.path().join(name), name).expect("a file");
        }
        // The clock was set back: the newest has the oldest name.
        keep(folder.path(), 3, &names[0]).expect("a folder");
        let left = || backups_in(folder.path()).expect("a folder").into_iter().map(|it| it.name);
        assert_eq!(left().collect::<Vec<_>>(), [&*names[4], &*names[3], &*names[0]]);
        let in_use = File::open(folder.path().join(&half)).expect("a file");
        in_use.lock().expect("a lock");
        remove_left_over(folder.path(), Path::new("other")).expect("a folder");
        assert!(folder.path().join(&half).exists(), "it is being written");
        drop(in_use);
        remove_left_over(folder.path(), Path::new("other")).expect("a folder");
        assert!(!folder.path().join(&half).exists());
        assert_eq!(left().count(), 3);
        assert!(["mine.backup", "notes.txt"].iter().all(|it| folder.path().join(it).exists()));
    }
}
