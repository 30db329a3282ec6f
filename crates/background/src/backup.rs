//! Backups of a running shop: into the folder of the setting, when an admin asks or by schedule, and from
//! there to storages elsewhere; and wherever `atoll backup` asks. One at a time, on a thread of its own,
//! beside requests.

use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
};

use atoll_kernel::{Ctx, Fault, StoreError, Timestamp, job, jobs::Tick};
use atoll_storage::{Progress, files::folder_of};
use serde::Serialize;

use crate::{
    backup_elsewhere::copy,
    backup_folder::{BackupError, BackupFile, back_up, backups_in, keep},
    disk::{PAUSE, Space, reserve, space},
    one_at_a_time::{GoingOn, Last, StopOnDrop},
    why,
};

/// A backup leaves so many times what must stay free of a disk: on that of the data it ends before the shop
/// has no room to write.
const RESERVES: u64 = 2;

job! { "backup.create" by "backup_schedule" => create }

/// The backup that was begun last, since the start of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackupStatus {
    /// When it began; null if none was begun.
    pub started_at: Option<Timestamp>,
    /// When it ended; null while it is going on.
    pub ended_at: Option<Timestamp>,
    /// Keys that were copied so far.
    pub n_copied: u64,
    /// Keys that there are.
    pub n_keys: u64,
    /// The backup; null before it is whole.
    pub file: Option<BackupFile>,
    /// Why there is none.
    pub error: Option<String>,
}

/// A backup that may be made: no other one begins before it has ended.
pub struct BackingUp(GoingOn<BackupFile>);

impl BackingUp {
    /// Begins a backup. Errors: another one is going on.
    pub fn begin(ctx: &Ctx) -> Result<BackingUp, BackupError> {
        GoingOn::begin(ctx, ctx.now(), None).map(BackingUp).ok_or(BackupError::Busy)
    }

    /// How far it has come.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.0.progress
    }

    /// Makes the backup: `to` is a folder, or the name of a new file. With `n_kept_max` the oldest of the
    /// folder beyond so many are removed then, and it is copied to the backup storages of the configuration.
    /// It is cancelled, and nothing is left of what is not whole, when the process shuts down or the future
    /// is dropped; and it ends when its disk is nearly full.
    pub async fn run(
        self,
        to: PathBuf,
        n_kept_max: Option<usize>,
    ) -> Result<(PathBuf, BackupFile), BackupError> {
        let BackingUp(going_on) = self;
        let (ctx, progress) = (going_on.ctx.clone(), going_on.progress.clone());
        let _stopping = StopOnDrop(progress.clone());
        let mut working = pin!(work(&ctx, going_on, &to, n_kept_max, &progress));
        tokio::select! {
            made = &mut working => return made,
            () = ctx.cancelled() => progress.stop(),
        }
        working.await
    }
}

impl GoingOn<BackupFile> {
    /// Notes and logs how it ended.
    fn end(&mut self, made: &Result<(PathBuf, BackupFile), BackupError>, to: &Path) {
        self.result = match made {
            Ok((file, it)) => {
                tracing::info!(file = %file.display(), position = it.position.0, "made a backup");
                Ok(it.clone())
            }
            Err(error) => {
                let error = why(error);
                tracing::error!(error, to = %to.display(), "a backup failed");
                Err(error)
            }
        };
    }
}

async fn work(
    ctx: &Ctx,
    going_on: GoingOn<BackupFile>,
    to: &Path,
    n_kept_max: Option<usize>,
    progress: &Arc<Progress>,
) -> Result<(PathBuf, BackupFile), BackupError> {
    let (making, folder) = (progress.clone(), to.to_owned());
    let make = move || {
        let made = make(&going_on.ctx, &folder, n_kept_max, &making);
        (going_on, made)
    };
    let mut making = tokio::task::spawn_blocking(make);
    let (mut measures, mut full) = (tokio::time::interval(PAUSE), None);
    let done = loop {
        tokio::select! {
            done = &mut making => break done,
            _ = measures.tick(), if full.is_none() => {
                full = check_disk(ctx, to).err();
                if full.is_some() {
                    progress.stop();
                }
            }
        }
    };
    let (mut going_on, made) = done.map_err(|error| StoreError::Panicked(error.to_string()))?;
    let mut made = match full {
        Some(full) if made.is_err() => Err(full),
        _ => made,
    };
    if let (Ok((file, _)), Some(n_max)) = (&made, n_kept_max)
        && let Err(error) = copy(&going_on.ctx, file, n_max).await
    {
        made = Err(error);
    }
    going_on.end(&made, to);
    made
}

/// Checks that the disk that a backup is written to, which may be another one than that of the data, has what
/// a backup leaves. Errors: it has not.
fn check_disk(ctx: &Ctx, to: &Path) -> Result<(), BackupError> {
    let folder = if to.is_dir() { to } else { folder_of(to) };
    let Some(Space { free, all }) = space(folder) else { return Ok(()) };
    let min_bytes = reserve(ctx, all).saturating_mul(RESERVES);
    match free < min_bytes {
        true => Err(BackupError::DiskFull { folder: folder.to_owned(), free_bytes: free, min_bytes }),
        false => Ok(()),
    }
}

fn make(
    ctx: &Ctx,
    to: &Path,
    n_kept_max: Option<usize>,
    progress: &Progress,
) -> Result<(PathBuf, BackupFile), BackupError> {
    check_disk(ctx, to)?;
    let made = back_up(&ctx.view(), to, ctx.now(), &ctx.config().backups.beside, progress)?;
    if let Some(n_max) = n_kept_max {
        keep(to, n_max, &made.1.name)?;
    }
    Ok(made)
}

/// The folder that admins and the schedule back up into. Errors: none is set, or it is not there.
fn folder(ctx: &Ctx) -> Result<PathBuf, BackupError> {
    let folder = ctx.config().backups.folder.clone().ok_or(BackupError::NotSet)?;
    if folder.is_dir() { Ok(folder) } else { Err(BackupError::NoFolder(folder)) }
}

async fn create(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let (folder, n_kept_max) = (folder(&ctx)?, ctx.config().backups.n_kept_max);
    BackingUp::begin(&ctx)?.run(folder, Some(n_kept_max)).await?;
    Ok(())
}

/// Starts a backup into the folder of the setting. It goes on when the caller goes away. Errors: 400 where no
/// folder is set or it is not there, 409 while another backup is going on.
pub fn start_backup(ctx: &Ctx) -> Result<(), Fault> {
    let (folder, n_kept_max) = (folder(ctx)?, ctx.config().backups.n_kept_max);
    // Its end is in the status, and in the log.
    tokio::spawn(BackingUp::begin(ctx)?.run(folder, Some(n_kept_max)));
    Ok(())
}

/// The backup that was begun last.
pub fn backup_status(ctx: &Ctx) -> BackupStatus {
    let Last { started_at, ended_at, made, error, progress, .. } = Last::of(ctx);
    let (n_copied, n_keys) = (progress.n_done(), progress.n_all());
    BackupStatus { started_at, ended_at, n_copied, n_keys, file: made, error }
}

/// The backups in the folder of the setting, the newest first. Errors: 400 where none is set
/// or it is not there.
pub async fn backups(ctx: &Ctx) -> Result<Vec<BackupFile>, Fault> {
    let folder = folder(ctx)?;
    let listed = tokio::task::spawn_blocking(move || backups_in(&folder)).await;
    Ok(listed.map_err(Fault::unexpected)??)
}
