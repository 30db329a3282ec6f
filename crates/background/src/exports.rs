//! Exports of a running shop as JSON lines: into the folder of the setting, when an admin asks, and wherever
//! `atoll export-shop` asks. One at a time, on a thread of its own, beside requests.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use atoll_export::{ExportError, Manifest, export, remove_half};
use atoll_kernel::{Ctx, Fault, FaultKind, StoreError, Timestamp, data::View};
use atoll_storage::{PART, Position, Progress, files::folder_of};
use serde::{Deserialize, Serialize};

use crate::{
    backup_folder::stamp,
    disk::has_room,
    one_at_a_time::{GoingOn, Last, StopOnDrop},
    why,
};

/// What names of exports end in.
const SUFFIX: &str = ".export";

/// An export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFolder {
    /// The name of the folder.
    pub id: String,
    /// The last commit that is in it.
    pub position: Position,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The number of lines of all its files.
    pub n_lines: u64,
    /// The size of all its files, without the manifest.
    pub bytes: u64,
}

/// The export that was begun last, since the start of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportStatus {
    /// The name of the folder that it makes; null if none was begun.
    pub id: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended; null while it is going on.
    pub ended_at: Option<Timestamp>,
    /// Lines that were written so far.
    pub n_written: u64,
    /// Lines that there are; 0 before they are counted.
    pub n_lines: u64,
    /// The export; null before it is whole.
    pub export: Option<ExportFolder>,
    /// Why there is none.
    pub error: Option<String>,
}

/// Why there is no export of a running shop.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// Another one is going on.
    #[error("another export is going on")]
    Busy,
    /// No folder is set.
    #[error("the setting `export_dir` names no folder for exports")]
    NotSet,
    /// It could not be made.
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl From<ExportFault> for Fault {
    fn from(error: ExportFault) -> Fault {
        match error {
            ExportFault::Busy => Fault::new(FaultKind::Conflict, "Another export is going on"),
            ExportFault::NotSet => Fault::not_allowed("The setting `export_dir` names no folder for exports"),
            ExportFault::Export(error @ (ExportError::NoFolder(_) | ExportError::Exists(_))) => {
                Fault::not_allowed(error.to_string())
            }
            ExportFault::Export(ExportError::Store(error)) => error.into(),
            ExportFault::Export(error) => Fault::unexpected(error),
        }
    }
}

/// An export that may be made: no other one begins before it has ended.
pub struct Exporting {
    going_on: GoingOn<ExportFolder>,
    view: View,
    to: PathBuf,
}

impl GoingOn<ExportFolder> {
    fn make(mut self, view: View, to: PathBuf) -> Result<(PathBuf, ExportFolder), ExportFault> {
        let ctx = &self.ctx;
        let has_room = || has_room(ctx, folder_of(&to));
        match export(view, ctx.registry(), &to, self.started_at, &self.progress, &has_room) {
            Ok(manifest) => {
                tracing::info!(folder = %to.display(), position = manifest.position.0, "made an export");
                let made = ExportFolder::of(name_of(&to), &manifest);
                self.result = Ok(made.clone());
                Ok((to, made))
            }
            Err(error) => {
                let text = why(&error);
                tracing::error!(error = text, to = %to.display(), "no export was made");
                self.result = Err(text);
                Err(error.into())
            }
        }
    }
}

impl Exporting {
    /// Begins an export of the shop as it is now. `to` is the new folder; in a folder that is there it gets a
    /// name by moment and position. Errors: another one is going on.
    pub fn begin(ctx: &Ctx, to: &Path) -> Result<Exporting, ExportFault> {
        let ctx = ctx.unmetered();
        let (view, now) = (ctx.view(), ctx.now());
        let to = place_in(to, now, view.position());
        let going_on = GoingOn::begin(&ctx, now, Some(name_of(&to))).ok_or(ExportFault::Busy)?;
        Ok(Exporting { going_on, view, to })
    }

    /// How far it has come.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.going_on.progress
    }

    /// Makes the export. It is cancelled, and nothing is left of it, when the process shuts down or the
    /// future is dropped.
    pub async fn run(self) -> Result<(PathBuf, ExportFolder), ExportFault> {
        let Exporting { going_on, view, to } = self;
        let (ctx, stopping) = (going_on.ctx.clone(), StopOnDrop(going_on.progress.clone()));
        let work = move || going_on.make(view, to);
        let mut working = tokio::task::spawn_blocking(work);
        let done = tokio::select! {
            done = &mut working => done,
            () = ctx.cancelled() => {
                stopping.0.stop();
                working.await
            }
        };
        done.unwrap_or_else(|error| Err(ExportError::from(StoreError::Panicked(error.to_string())).into()))
    }
}

impl ExportFolder {
    fn of(id: String, manifest: &Manifest) -> ExportFolder {
        let Manifest { position, made_at, .. } = *manifest;
        ExportFolder { id, position, made_at, n_lines: manifest.n_lines(), bytes: manifest.bytes() }
    }
}

/// Where an export goes: to a new folder, or, in a folder that is there, to one that is named by moment and
/// position.
pub fn place_in(to: &Path, made_at: Timestamp, position: Position) -> PathBuf {
    if to.is_dir() { to.join(format!("{}{SUFFIX}", stamp(made_at, position))) } else { to.to_owned() }
}

fn name_of(to: &Path) -> String {
    to.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The folder that admins export into. Errors: none is set, or it is not there.
fn folder(ctx: &Ctx) -> Result<PathBuf, ExportFault> {
    let folder = ctx.config().exports.clone().ok_or(ExportFault::NotSet)?;
    if folder.is_dir() { Ok(folder) } else { Err(ExportError::NoFolder(folder).into()) }
}

/// Starts an export into the folder of the setting. It goes on when the caller goes away. Errors: 400 where
/// no folder is set or it is not there, 409 while another export is going on, 507 while the disk is nearly
/// full.
pub fn start_export(ctx: &Ctx) -> Result<(), Fault> {
    let folder = folder(ctx)?;
    ctx.room().check()?;
    // Its end is in the status, and in the log.
    tokio::spawn(Exporting::begin(ctx, &folder)?.run());
    Ok(())
}

/// The export that was begun last.
pub fn export_status(ctx: &Ctx) -> ExportStatus {
    let Last { name, started_at, ended_at, made, error, progress } = Last::of(ctx);
    let (n_written, n_lines) = (progress.n_done(), progress.n_all());
    ExportStatus { id: name, started_at, ended_at, n_written, n_lines, export: made, error }
}

/// The exports in the folder of the setting, the newest first; what killed processes left half written there
/// is removed. Errors: 400 where none is set or it is not there.
pub async fn exports(ctx: &Ctx) -> Result<Vec<ExportFolder>, Fault> {
    let folder = folder(ctx)?;
    let list = move || -> Result<Vec<ExportFolder>, Fault> {
        let mut exports = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Fault::unexpected)? {
            let path = entry.map_err(Fault::unexpected)?.path();
            let name = name_of(&path);
            if name.strip_suffix(PART).is_some_and(|it| it.ends_with(SUFFIX)) {
                remove_half(&path).map_err(ExportFault::from)?;
            } else if name.ends_with(SUFFIX)
                // One that was removed meanwhile is none, nor is what has such a name by chance.
                && let Ok(manifest) = Manifest::read(&path)
            {
                exports.push(ExportFolder::of(name, &manifest));
            }
        }
        exports.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(exports)
    };
    tokio::task::spawn_blocking(list).await.map_err(Fault::unexpected)?
}

/// What the export with this name in the folder of the setting says of itself; `None` if there is none.
/// Errors: 400 where no folder is set or it is not there.
pub async fn exported(ctx: &Ctx, id: &str) -> Result<Option<(ExportFolder, Manifest)>, Fault> {
    let folder = folder(ctx)?;
    // A name of a path leads out of the folder.
    if !id.ends_with(SUFFIX) || name_of(Path::new(id)) != id {
        return Ok(None);
    }
    let id = id.to_owned();
    let read = move || {
        let manifest = Manifest::read(&folder.join(&id)).ok()?;
        Some((ExportFolder::of(id, &manifest), manifest))
    };
    tokio::task::spawn_blocking(read).await.map_err(Fault::unexpected)
}
