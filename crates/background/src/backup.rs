//! Backups of a running shop: into the folder of the setting, when an admin asks or by schedule, and wherever
//! `atoll backup` asks. One at a time, on a thread of its own, beside requests.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use atoll_kernel::{Ctx, Fault, StoreError, Timestamp, job, jobs::Tick};
use atoll_storage::BackupProgress;
use serde::Serialize;

use crate::{
    backup_folder::{BackupError, BackupFile, back_up, backups_in, keep},
    why,
};

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

impl BackupStatus {
    fn is_going_on(&self) -> bool {
        self.started_at.is_some() && self.ended_at.is_none()
    }
}

/// The last one and how far it has come, in memory: under one lock, so that whoever sees that it has ended
/// may begin the next one.
#[derive(Default)]
struct Last(Mutex<(BackupStatus, Arc<BackupProgress>)>);

impl Last {
    fn lock(&self) -> MutexGuard<'_, (BackupStatus, Arc<BackupProgress>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A backup that may be made: no other one begins before it has ended.
pub struct BackingUp {
    going_on: GoingOn,
    progress: Arc<BackupProgress>,
}

/// The backup that is going on. It has ended when this is dropped, however that comes.
struct GoingOn {
    ctx: Ctx,
    last: Arc<Last>,
    result: Result<BackupFile, String>,
}

impl Drop for GoingOn {
    fn drop(&mut self) {
        let (status, _) = &mut *self.last.lock();
        status.ended_at = Some(self.ctx.now());
        match &self.result {
            Ok(file) => status.file = Some(file.clone()),
            Err(error) => status.error = Some(error.clone()),
        }
    }
}

/// Stops a backup for which nobody waits any more.
struct StopOnDrop(Arc<BackupProgress>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl BackingUp {
    /// Begins a backup. Errors: another one is going on.
    pub fn begin(ctx: &Ctx) -> Result<BackingUp, BackupError> {
        let (ctx, last) = (ctx.unmetered(), ctx.memory::<Last>());
        let progress = Arc::<BackupProgress>::default();
        {
            let mut last = last.lock();
            if last.0.is_going_on() {
                return Err(BackupError::Busy);
            }
            let status = BackupStatus { started_at: Some(ctx.now()), ..BackupStatus::default() };
            *last = (status, progress.clone());
        }
        let result = Err("it was cancelled".to_owned());
        Ok(BackingUp { going_on: GoingOn { ctx, last, result }, progress })
    }

    /// How far it has come.
    pub fn progress(&self) -> &Arc<BackupProgress> {
        &self.progress
    }

    /// Makes the backup: `to` is a folder, or the name of a new file. With `n_kept_max` the oldest of the
    /// folder beyond so many are removed then. It is cancelled, and nothing is left of it, when the process
    /// shuts down or the future is dropped.
    pub async fn run(
        self,
        to: PathBuf,
        n_kept_max: Option<usize>,
    ) -> Result<(PathBuf, BackupFile), BackupError> {
        let BackingUp { mut going_on, progress } = self;
        let (ctx, stopping) = (going_on.ctx.clone(), StopOnDrop(progress.clone()));
        let work = move || {
            let made = make(&going_on.ctx, &to, n_kept_max, &progress);
            match &made {
                Ok((file, it)) => {
                    tracing::info!(file = %file.display(), position = it.position.0, "made a backup");
                    going_on.result = Ok(it.clone());
                }
                Err(error) => {
                    let error = why(error);
                    tracing::error!(error, to = %to.display(), "no backup was made");
                    going_on.result = Err(error);
                }
            }
            made
        };
        let mut working = tokio::task::spawn_blocking(work);
        let done = tokio::select! {
            done = &mut working => done,
            () = ctx.cancelled() => {
                stopping.0.stop();
                working.await
            }
        };
        done.unwrap_or_else(|error| Err(StoreError::Panicked(error.to_string()).into()))
    }
}

fn make(
    ctx: &Ctx,
    to: &Path,
    n_kept_max: Option<usize>,
    progress: &BackupProgress,
) -> Result<(PathBuf, BackupFile), BackupError> {
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
    let (status, progress) = ctx.memory::<Last>().lock().clone();
    BackupStatus { n_copied: progress.n_copied(), n_keys: progress.n_keys(), ..status }
}

/// The backups in the folder of the setting, the newest first. Errors: 400 where none is set
/// or it is not there.
pub async fn backups(ctx: &Ctx) -> Result<Vec<BackupFile>, Fault> {
    let folder = folder(ctx)?;
    let listed = tokio::task::spawn_blocking(move || backups_in(&folder)).await;
    Ok(listed.map_err(Fault::unexpected)??)
}
