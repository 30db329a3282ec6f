//! `atoll backup`: backs the shop up while it runs, by asking its process, or while it is stopped.

use std::path::{self, Path, PathBuf};

use anyhow::bail;
use atoll_background::back_up;
use atoll_kernel::Timestamp;
use atoll_storage::Progress;
use clap::Args;

use crate::{
    Data, Host, Settings,
    command::{DataArgs, bar, report},
    control::{Done, Request, ask},
    registry,
};

#[derive(Args)]
pub(crate) struct Backup {
    /// An existing folder, where the backup is named by moment and position, or the name of a new file.
    to: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

impl Backup {
    pub(crate) fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, settings) = self.data.open(host)?;
        let Data::Folder(folder) = &data else {
            bail!("data in memory is backed up by its own process alone")
        };
        let to = path::absolute(&self.to)?;
        let bar = bar("keys")?;
        let asked = ask(folder, &Request::Backup { to: to.clone() }, &bar)?;
        bar.finish_and_clear();
        let done = asked.map_or_else(|| of_stopped(&data, &settings, &to), Ok)?;
        report(&data, "backed up", &done)
    }
}

/// Backs up the data of a stopped shop, after a check of every page of its file.
fn of_stopped(data: &Data, settings: &Settings, to: &Path) -> anyhow::Result<Done> {
    let (_file, view) = data.look(&registry()?.spaces(), settings.cache_bytes)?;
    let (path, made) = back_up(&view, to, Timestamp::now(), &data.secrets(), &Progress::default())?;
    Ok(Done { path, bytes: made.bytes, position: made.position })
}
