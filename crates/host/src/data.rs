//! The data folder: the database file and the secrets, with file permissions for the owner only.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use atoll_kernel::{
    Registry,
    data::{Space, Store, View},
    limits::CACHE_BYTES,
    migration::Plan as MigrationPlan,
};
use atoll_storage::{
    Manifest, Position,
    engines::{Memory, Redb},
    files::{create_private, put_in_place},
    restore,
};
use tempfile::TempDir;

use crate::secrets::{self, FILES as SECRETS};

/// The folder of uploaded files in a data folder.
const FILES: &str = "files";

/// The files of a data folder. The database is created first, so secrets without one mean that it was lost.
const DATABASE: &str = "atoll.redb";
/// The replica of a store that several hosts share. It has a name of its own, so that no command takes it for
/// the database of one host, and writes to it.
const REPLICA: &str = "replica.redb";

/// Where the data is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// In memory: lost when the process ends.
    Memory,
    /// In this folder, which is created if missing.
    Folder(PathBuf),
}

/// What the names of folders of trials begin with.
const TRIAL: &str = ".trial-";

/// A temporary folder in a data folder, for a copy of the database.
#[derive(Debug)]
pub struct Trial {
    folder: TempDir,
    /// The data folder, locked: other processes see by it that a trial is under way.
    _in_use: Option<fs::File>,
}

impl Trial {
    fn begin(data: &Path) -> anyhow::Result<Trial> {
        let in_use = remove_trials(data);
        // Not every file system can lock; there the next trial removes this one's folder if both run at once.
        in_use.iter().for_each(|it| drop(it.lock_shared()));
        let folder = tempfile::Builder::new().prefix(TRIAL).tempdir_in(data)?;
        Ok(Trial { folder, _in_use: in_use })
    }
}

/// Removes the folders of trials that were killed, unless a trial is under way: then the next one does.
/// Returns the data folder, to be locked; none where folders cannot be opened, which is so on Windows.
fn remove_trials(data: &Path) -> Option<fs::File> {
    let folder = fs::File::open(data).ok()?;
    if folder.try_lock().is_ok() {
        for entry in fs::read_dir(data).ok()?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(TRIAL)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(%error, folder = %entry.path().display(), "an old dry run is not removed");
            }
        }
        folder.unlock().ok()?;
    }
    Some(folder)
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        if text == ":memory:" { Data::Memory } else { Data::Folder(text.into()) }
    }
}

impl Data {
    /// Opens the store with the spaces of what is linked in. Data that cannot be migrated is refused before
    /// anything is changed.
    pub fn open(&self, registry: &'static Registry) -> anyhow::Result<Store> {
        Ok(self.open_planned(registry, None)?.0)
    }

    /// As [`Data::open`], with the migration that is due. It is to be carried out before anything else is
    /// written ([`migrate_by`](atoll_kernel::migration::migrate_by)). `cache_bytes` is the setting.
    pub fn open_planned(
        &self,
        registry: &'static Registry,
        cache_bytes: Option<usize>,
    ) -> anyhow::Result<(Store, MigrationPlan)> {
        match self {
            Data::Memory => {
                let store = Store::open(Memory::default(), &registry.spaces())?;
                let plan = MigrationPlan::of(&store.view(), registry)?;
                Ok((store, plan))
            }
            Data::Folder(folder) => {
                let file = file_in(folder)?;
                let cache_bytes = cache_bytes.unwrap_or(CACHE_BYTES);
                let open = || Planned::of(Redb::open_with(&file, cache_bytes)?, registry)?.open(registry);
                let opened = open().with_context(|| failed_to_open(&file))?;
                drop(remove_trials(folder));
                Ok(opened)
            }
        }
    }

    /// The file of the database, which need not exist; none for data in memory.
    pub fn database(&self) -> Option<PathBuf> {
        match self {
            Data::Memory => None,
            Data::Folder(folder) => Some(folder.join(DATABASE)),
        }
    }

    /// The file of the replica of a store that several hosts share, which need not exist. The folder is
    /// created if missing. Errors: the folder holds the database of one host.
    pub fn replica(&self) -> anyhow::Result<PathBuf> {
        let Data::Folder(folder) = self else { bail!("the replica of a shared store is in a folder") };
        make(folder)?;
        for_owner_alone(folder)
            .with_context(|| format!("failed to restrict `{}` to its owner", folder.display()))?;
        if folder.join(DATABASE).exists() {
            bail!(
                "`{}` is the database of one host: `atoll store move-in` moves it into the shared store",
                folder.join(DATABASE).display()
            );
        }
        Ok(folder.join(REPLICA))
    }

    /// The folder of uploaded files, which need not exist; beside data in memory a temporary one.
    pub fn files(&self) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
        match self {
            Data::Memory => {
                let folder = TempDir::new().context("failed to create a temporary folder for files")?;
                Ok((folder.path().to_owned(), Some(folder)))
            }
            Data::Folder(folder) => Ok((folder.join(FILES), None)),
        }
    }

    /// Opens existing data for reading, and checks every page of its file; the engine locks the file
    /// meanwhile. Nothing is created or written. Errors: there is no database.
    pub fn look(&self, spaces: &[Space], cache_bytes: Option<usize>) -> anyhow::Result<(Redb, View)> {
        let file = self.existing_file()?;
        let engine = Redb::open_checked(&file, cache_bytes.unwrap_or(CACHE_BYTES))
            .with_context(|| failed_to_open(&file))?;
        let view = View::look(&engine, spaces).with_context(|| failed_to_open(&file))?;
        Ok((engine, view))
    }

    /// A copy of the data for a trial, which is removed when the trial is dropped. Of a folder it has the
    /// database, or the replica, alone, and lies in it, so that file systems which can do so copy nothing.
    /// Errors: another process has the database open.
    pub fn copied(&self) -> anyhow::Result<(Data, Option<Trial>)> {
        let Data::Folder(folder) = self else { return Ok((Data::Memory, None)) };
        if ![DATABASE, REPLICA].iter().any(|it| folder.join(it).exists()) {
            return Ok((Data::Memory, None));
        }
        let file = self.existing_file()?;
        let trial = Trial::begin(folder)?;
        let copy = trial.folder.path();
        Redb::copy(&file, &copy.join(DATABASE)).with_context(|| failed_to_open(&file))?;
        Ok((Data::Folder(copy.to_owned()), Some(trial)))
    }

    /// Compacts the database file, and returns its sizes before and after. Errors: there is no database, or
    /// another process has it open.
    pub fn compact(&self, cache_bytes: Option<usize>) -> anyhow::Result<(u64, u64)> {
        let file = self.existing_file()?;
        let size = || Ok::<_, anyhow::Error>(fs::metadata(&file)?.len());
        let engine = Redb::open_with(&file, cache_bytes.unwrap_or(CACHE_BYTES))
            .with_context(|| failed_to_open(&file))?;
        let before = size()?;
        engine.compact().with_context(|| format!("failed to compact `{}`", file.display()))?;
        Ok((before, size()?))
    }

    /// The files of the secrets, which need not exist.
    pub(crate) fn secrets(&self) -> Vec<PathBuf> {
        match self {
            Data::Memory => Vec::new(),
            Data::Folder(folder) => SECRETS.map(|it| folder.join(it)).into(),
        }
    }

    /// Makes a new data folder of what `make` puts into one: the database, and the secrets that it names. It
    /// has its place when it is whole. `what` is done there, for the error. Errors: there is something in the
    /// folder, or those of `make`; nothing is left then.
    pub(crate) async fn fill<T>(
        &self,
        what: &str,
        fill: impl AsyncFnOnce(&Data) -> anyhow::Result<(T, Vec<&'static str>)>,
    ) -> anyhow::Result<T> {
        let Data::Folder(folder) = self else { bail!("{what} into a folder") };
        let is_new = !folder.exists();
        make(folder)?;
        if !is_empty(folder)? {
            bail!("there is something in `{}`: {what} into a new folder", folder.display());
        }
        let filled = fill_by(folder, fill).await;
        if filled.is_err() && is_new {
            // It is empty, or somebody else has put something there.
            let _ = fs::remove_dir(folder);
        }
        filled
    }

    /// Restores a backup into this new folder. Returns what it says of itself, and the names of its secrets.
    /// Errors: the file is no backup or is damaged.
    pub(crate) fn restore(&self, backup: &Path) -> anyhow::Result<(Manifest, Vec<&'static str>)> {
        let Data::Folder(folder) = self else { bail!("a backup is restored into a folder") };
        let (manifest, beside) = restore(backup, &folder.join(DATABASE))?;
        for_owner_alone(folder)?;
        let secrets = SECRETS.into_iter().filter_map(|it| Some((it, beside.get(it)?)));
        let mut names = Vec::new();
        for (name, secret) in secrets {
            create_private(&folder.join(name))?.write_all(secret)?;
            names.push(name);
        }
        Ok((manifest, names))
    }

    /// Moves this data by `moving`, which copies it into a shared store; its file is a replica from then on.
    /// Errors: there is no database, it is of another version of the program, or those of `moving`.
    pub(crate) async fn move_in(
        &self,
        registry: &'static Registry,
        cache_bytes: Option<usize>,
        moving: impl AsyncFnOnce(&mut Redb) -> anyhow::Result<Position>,
    ) -> anyhow::Result<Position> {
        let Data::Folder(folder) = self else { bail!("what moves in is in a folder") };
        let planned = self.plan(registry, cache_bytes)?;
        if !planned.plan.is_done() {
            bail!("the data is of another version of the program: run `atoll migrate` first");
        }
        let (store, _) = planned.open(registry)?;
        let held = secrets::hold_kept(folder, &store).await;
        store.close();
        drop(store);
        held?;
        let mut planned = self.plan(registry, cache_bytes)?;
        let position = moving(&mut planned.file).await?;
        drop(planned);
        put_in_place(&folder.join(DATABASE), &folder.join(REPLICA))?;
        Ok(position)
    }

    /// The file of a database that exists, or of the replica of a shared store.
    fn existing_file(&self) -> anyhow::Result<PathBuf> {
        let Data::Folder(folder) = self else {
            bail!("there is no database in memory before a process makes one");
        };
        // A folder that was never one of data, by a slip of the hand, is left as it is.
        if folder.join(REPLICA).exists() {
            return Ok(folder.join(REPLICA));
        }
        let is_ours = [DATABASE].iter().chain(&SECRETS).any(|it| folder.join(it).exists());
        if !is_ours {
            bail!("there is no database in `{}`", folder.display());
        }
        file_in(folder)
    }

    /// The migration that a start would make, or the reason why the data is refused. Every page of the file
    /// is checked, and nothing is written.
    pub fn plan(&self, registry: &'static Registry, cache_bytes: Option<usize>) -> anyhow::Result<Planned> {
        if let Data::Folder(folder) = self {
            refuse_replica(folder)?;
        }
        let (file, _) = self.look(&registry.spaces(), cache_bytes)?;
        Planned::of(file, registry)
    }
}

/// Existing data, not opened yet, and the migration that is due. Its file is locked, so that the plan stays
/// what it is.
pub struct Planned {
    file: Redb,
    /// What is due.
    pub plan: MigrationPlan,
}

impl Planned {
    fn of(file: Redb, registry: &'static Registry) -> anyhow::Result<Planned> {
        let plan = MigrationPlan::of(&View::look(&file, &registry.spaces())?, registry)?;
        Ok(Planned { file, plan })
    }

    /// The data as it is, for reading.
    pub fn view(&self, registry: &'static Registry) -> anyhow::Result<View> {
        Ok(View::look(&self.file, &registry.spaces())?)
    }

    /// Opens the store; the migration is still to be carried out.
    pub fn open(self, registry: &'static Registry) -> anyhow::Result<(Store, MigrationPlan)> {
        let Planned { file, plan } = self;
        Ok((Store::open(file, &registry.spaces())?, plan))
    }
}

/// Is there nothing in the folder, but for what killed trials have left?
fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read `{}`", folder.display()))? {
        if !entry?.file_name().to_string_lossy().starts_with(TRIAL) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fills a trial in the folder, and moves the files from there. The database comes last: a folder that a
/// crash left with secrets alone is refused by a start.
async fn fill_by<T>(
    folder: &Path,
    fill: impl AsyncFnOnce(&Data) -> anyhow::Result<(T, Vec<&'static str>)>,
) -> anyhow::Result<T> {
    let trial = Trial::begin(folder)?;
    let place = trial.folder.path();
    let (filled, secrets) = fill(&Data::Folder(place.to_owned())).await?;
    for name in secrets.into_iter().chain([DATABASE]) {
        put_in_place(&place.join(name), &folder.join(name))
            .with_context(|| format!("failed to write `{}`", folder.join(name).display()))?;
    }
    Ok(filled)
}

/// The database file in this folder; the folder is created if missing, and the files that Atoll has made in
/// it are restricted to their owner. Errors: the database is missing, and secrets that were created after it
/// exist.
fn file_in(folder: &Path) -> anyhow::Result<PathBuf> {
    make(folder)?;
    for_owner_alone(folder)
        .with_context(|| format!("failed to restrict `{}` to its owner", folder.display()))?;
    let file = folder.join(DATABASE);
    refuse_replica(folder)?;
    let left = SECRETS.into_iter().find(|it| folder.join(it).exists());
    if let (Some(left), false) = (left, file.exists()) {
        bail!(
            "`{}` is missing, but `{left}` beside it exists: restore a backup, or remove `{left}` to start over",
            file.display()
        );
    }
    Ok(file)
}

/// Errors: the folder holds a replica, which nobody writes to but by the log.
fn refuse_replica(folder: &Path) -> anyhow::Result<()> {
    let replica = folder.join(REPLICA);
    if replica.exists() {
        bail!(
            "`{}` is a replica of a store that several hosts share: name the store by the setting `store`, or take \
             its data out of it by `atoll store move-out`",
            replica.display()
        );
    }
    Ok(())
}

fn failed_to_open(file: &Path) -> String {
    format!("failed to open `{}`", file.display())
}

/// Takes the rights of all but their owner from the files of data in the folder, whatever the mode of the
/// folder: an earlier version left the database readable, and so may copies. Other files are not ours.
#[cfg(unix)]
fn for_owner_alone(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    for name in [DATABASE, REPLICA].into_iter().chain(SECRETS) {
        let file = folder.join(name);
        let known = match fs::symlink_metadata(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            known => known?,
        };
        let mode = known.permissions().mode();
        if known.is_file() && mode & 0o077 != 0 {
            fs::set_permissions(file, fs::Permissions::from_mode(mode & 0o700))?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn for_owner_alone(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Creates the data folder with mode 0700: it holds addresses and password hashes.
fn make(folder: &Path) -> anyhow::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| format!("failed to create `{}`", folder.display()))
}
