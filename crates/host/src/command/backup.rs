//! `atoll backup`: backs the shop up while it runs, by asking its process, or while it is stopped.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Write as _},
    os::unix::net::UnixStream,
    path::{self, Path, PathBuf},
};

use anyhow::{Context as _, bail};
use atoll_background::{BackupFile, back_up};
use atoll_kernel::{Timestamp, serde_json};
use atoll_storage::BackupProgress;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    Data, Host, Settings,
    command::DataArgs,
    control::{Reply, Request, socket_in},
    registry,
};

/// How connecting fails where no process listens.
const NO_PROCESS: [ErrorKind; 3] =
    [ErrorKind::NotFound, ErrorKind::ConnectionRefused, ErrorKind::InvalidInput];

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
        let (file, made) = match UnixStream::connect(socket_in(folder)) {
            Ok(process) => ask(process, to)?,
            // There is no process, or it was killed and has left its socket, or the path of its folder is too
            // long for one.
            Err(error) if NO_PROCESS.contains(&error.kind()) => of_stopped(&data, &settings, &to)?,
            Err(error) => return Err(error).context("failed to ask the running process"),
        };
        let mut out = std::io::stdout();
        writeln!(out, "backed up to `{}`", file.display())?;
        writeln!(out, "it has {} bytes, and all up to commit {}", made.bytes, made.position)?;
        let (files, _) = data.files()?;
        if files.exists() {
            writeln!(out, "uploaded files are not in it; copy `{}` as well", files.display())?;
        }
        Ok(())
    }
}

/// Has the running process make the backup: it alone can read the data, and writes with its own rights.
fn ask(mut process: UnixStream, to: PathBuf) -> anyhow::Result<(PathBuf, BackupFile)> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} keys, {eta} left")?);
    let request = serde_json::to_string(&Request::Backup { to })? + "\n";
    process.write_all(request.as_bytes())?;
    for line in BufReader::new(process).lines() {
        match serde_json::from_str(&line?)? {
            Reply::Progress { n_copied, n_keys } => {
                bar.set_length(n_keys);
                bar.set_position(n_copied);
            }
            Reply::Done { file, made } => {
                bar.finish_and_clear();
                return Ok((file, made));
            }
            Reply::Failed { why } => bail!("the running process made no backup: {why}"),
        }
    }
    bail!("the process ended before the backup was whole");
}

/// Backs up the data of a stopped shop, after a check of every page of its file.
fn of_stopped(data: &Data, settings: &Settings, to: &Path) -> anyhow::Result<(PathBuf, BackupFile)> {
    let (_file, view) = data.look(&registry()?.spaces(), settings.cache_bytes)?;
    Ok(back_up(&view, to, Timestamp::now(), &data.secrets(), &BackupProgress::default())?)
}
