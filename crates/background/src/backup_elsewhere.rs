//! Copies of backups away from the machine, by the backup storages of the configuration.

use std::{fs::File, future::Future, io::Read as _, path::Path, pin::Pin, sync::Arc};

use atoll_kernel::{Ctx, Fault, http::Bytes};
use atoll_providers::{BackupStorage, Content};
use atoll_storage::Progress;

use crate::backup_folder::{BackupError, is_backup};

/// Bytes that are read of a file at a time.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// The content of a file; it ends with an error when the backup is stopped.
struct FileContent {
    file: Arc<File>,
    progress: Arc<Progress>,
}

impl Content for FileContent {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        let file = self.file.clone();
        let read = move || {
            let mut chunk = Vec::new();
            file.take(CHUNK_BYTES).read_to_end(&mut chunk).map(|_| chunk)
        };
        Box::pin(async {
            if self.progress.is_stopped() {
                return Err(Fault::invalid("The backup was cancelled"));
            }
            let chunk = tokio::task::spawn_blocking(read).await.map_err(Fault::unexpected)?;
            let chunk = chunk.map_err(Fault::unexpected)?;
            Ok(Some(Bytes::from(chunk)).filter(|it| !it.is_empty()))
        })
    }
}

/// Copies a backup to all storages of the configuration, and deletes the oldest there beyond so many. One
/// that fails keeps no other from getting it. Errors: the first.
pub(crate) async fn copy(
    ctx: &Ctx,
    file: &Path,
    n_kept_max: usize,
    progress: &Arc<Progress>,
) -> Result<(), BackupError> {
    let name = file.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    let mut copied = Ok(());
    for (id, storage) in ctx.providers().of::<dyn BackupStorage>() {
        match copy_to(ctx, storage, file, &name, n_kept_max, progress).await {
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
    name: &str,
    n_kept_max: usize,
    progress: &Arc<Progress>,
) -> Result<(), Fault> {
    let file = Arc::new(File::open(file).map_err(Fault::unexpected)?);
    let content = FileContent { file, progress: progress.clone() };
    storage.put(ctx.clone(), name.to_owned(), Box::new(content)).await?;
    let mut others = storage.list(ctx.clone()).await?;
    others.retain(|it| is_backup(it) && it != name);
    others.sort_unstable_by(|one, other| other.cmp(one));
    for old in others.into_iter().skip(n_kept_max.saturating_sub(1)) {
        storage.delete(ctx.clone(), old).await?;
    }
    Ok(())
}
