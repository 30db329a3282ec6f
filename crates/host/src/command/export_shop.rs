//! `atoll export-shop`: exports the whole shop as JSON lines while it runs, by asking its process, or while
//! it is stopped.

use std::{
    path::{self, Path, PathBuf},
    sync::Arc,
};

use anyhow::bail;
use atoll_background::place_in;
use atoll_export::export;
use atoll_kernel::Timestamp;
use atoll_storage::Progress;
use clap::Args;
use indicatif::ProgressBar;

use crate::{
    Data, Host, Settings,
    command::{DataArgs, bar, report, watch},
    control::{Done, Request, ask},
    registry,
};

#[derive(Args)]
pub(crate) struct ExportShop {
    /// The new folder; in one that is there it is named by moment and position.
    to: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

impl ExportShop {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, settings) = self.data.open(host)?;
        let Data::Folder(folder) = &data else {
            bail!("data in memory is exported by its own process alone")
        };
        let to = path::absolute(&self.to)?;
        let bar = bar("lines")?;
        let asked = ask(folder, &Request::Export { to: to.clone() }, &bar)?;
        let done = match asked {
            Some(done) => done,
            None => of_stopped(data.clone(), settings, to, &bar).await?,
        };
        bar.finish_and_clear();
        report(&data, "exported", &done)
    }
}

/// Exports the data of a stopped shop, after a check of every page of its file.
async fn of_stopped(data: Data, settings: Settings, to: PathBuf, bar: &ProgressBar) -> anyhow::Result<Done> {
    let progress = Arc::<Progress>::default();
    let of_work = progress.clone();
    let work = tokio::task::spawn_blocking(move || make(&data, &settings, &to, &of_work));
    watch(&progress, bar, work).await?
}

fn make(data: &Data, settings: &Settings, to: &Path, progress: &Progress) -> anyhow::Result<Done> {
    let registry = registry()?;
    let (_file, view) = data.look(&registry.spaces(), settings.cache_bytes)?;
    let (now, position) = (Timestamp::now(), view.position());
    let path = place_in(to, now, position);
    let made = export(view, registry, &path, now, progress, &|| true)?;
    Ok(Done { path, bytes: made.bytes(), position })
}
