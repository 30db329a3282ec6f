//! Copies of backups away from the machine, by the backup storages of the configuration.

use std::{
    fs::{self, File},
    future::Future,
    io::{self, Read as _},
    path::Path,
    pin::Pin,
    sync::Arc,
};

use atoll_kernel::{Actor, Ctx, Fault, Kind, Moment, http::Bytes};
use atoll_providers::{BackupStorage, Content};
use atoll_storage::files::folder_of;

use crate::backup_folder::{BackupError, is_backup};

/// Bytes that are read of a file at a time.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// In a folder of backups, what the names of its copies begin with: elsewhere those of several shops, or of a
/// shop and its trial, may lie together, and each removes its own alone. It is in no backup, so a restored
/// shop has another one.
const OWNER_FILE: &str = ".copies";

/// The content of a file; it ends with an error when the process shuts down.
struct FileContent {
    ctx: Ctx,
    file: Arc<File>,
}

/// Who has made copies.
struct Copies;

impl Kind for Copies {
    const PREFIX: &'static str = "copies";
}

impl Content for FileContent {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        let file = self.file.clone();
        let read = move || {
            let mut chunk = Vec::new();
            file.take(CHUNK_BYTES).read_to_end(&mut chunk).map(|_| chunk)
        };
        Box::pin(async {
            tokio::select! {
                biased;
                () = self.ctx.cancelled() => Err(Fault::invalid("The backup was cancelled")),
                chunk = tokio::task::spawn_blocking(read) => {
                    let chunk = chunk.map_err(Fault::unexpected)?.map_err(Fault::unexpected)?;
                    Ok(Some(Bytes::from(chunk)).filter(|it| !it.is_empty()))
                }
            }
        })
    }
}

/// Copies a backup to all storages of the configuration, and deletes the oldest there beyond so many. One
/// that fails keeps no other from getting it. Errors: the first.
pub(crate) async fn copy(ctx: &Ctx, file: &Path, n_kept_max: usize) -> Result<(), BackupError> {
    let folder = folder_of(file);
    let owner = owner_of(ctx, folder);
    let owner =
        owner.map_err(|source| BackupError::Io { what: "back up", path: folder.join(OWNER_FILE), source })?;
    let name = file.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let mut copied = Ok(());
    for (id, storage) in ctx.providers().of::<dyn BackupStorage>() {
        match copy_to(ctx, storage, file, &owner, &name, n_kept_max).await {
            Ok(()) => tracing::info!(name, storage = id, "copied a backup"),
            Err(source) => {
                copied =
                    copied.and(Err(BackupError::Elsewhere { name: name.clone(), id, source: source.into() }));
            }
        }
    }
    copied
}

async fn copy_to(
    ctx: &Ctx,
    storage: &'static dyn BackupStorage,
    file: &Path,
    owner: &str,
    name: &str,
    n_kept_max: usize,
) -> Result<(), Fault> {
    let file = Arc::new(File::open(file).map_err(Fault::unexpected)?);
    let copy = format!("{owner}.{name}");
    storage.put(ctx.clone(), copy.clone(), Box::new(FileContent { ctx: ctx.clone(), file })).await?;
    let mut others = storage.list(ctx.clone()).await?;
    others.retain(|it| *it != copy && own_name(owner, it).is_some_and(is_backup));
    others.sort_unstable_by(|one, other| other.cmp(one));
    for old in others.into_iter().skip(n_kept_max.saturating_sub(1)) {
        storage.delete(ctx.clone(), old.clone()).await?;
        tracing::info!(name = old, "removed the copy of an old backup");
    }
    Ok(())
}

/// The name in the folder of a copy, if it is one of its owner.
fn own_name<'a>(owner: &str, copy: &'a str) -> Option<&'a str> {
    copy.strip_prefix(owner)?.strip_prefix('.')
}

/// Who owns the copies of the backups in a folder: an id that the folder keeps, and gets at the first copy.
fn owner_of(ctx: &Ctx, folder: &Path) -> io::Result<String> {
    let file = folder.join(OWNER_FILE);
    match fs::read_to_string(&file) {
        Ok(owner) if !owner.trim().is_empty() => Ok(owner.trim().to_owned()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => {
            let owner = Moment::new(ctx.now(), Actor::System).id::<Copies>().to_string();
            fs::write(&file, &owner)?;
            Ok(owner)
        }
    }
}
