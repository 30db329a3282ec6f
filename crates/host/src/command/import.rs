//! `atoll import`: imports a catalogue file in one transaction; `--dry-run` rolls it back.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use atoll_catalogue::{Catalogue, Report, import, stage};
use atoll_kernel::{Actor, Fault};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{Assembly, Data, Host, command::DataArgs};

#[derive(Args)]
pub(crate) struct Import {
    /// The catalogue file: JSON, as in docs/catalogue-file.md.
    file: PathBuf,
    /// Report the changes, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    data: DataArgs,
}

impl Import {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let file =
            fs::read(&self.file).with_context(|| format!("failed to open `{}`", self.file.display()))?;
        let catalogue = Catalogue::from_json(&file)
            .with_context(|| format!("`{}` is not a catalogue", self.file.display()))?;
        let (data, settings) = self.data.open(host)?;
        let data = match data {
            // A dry run creates no folder.
            Data::Folder(folder) if self.dry_run && !folder.exists() => Data::Memory,
            data => data,
        };
        let app = Assembly::open(&data, settings)?.start().await?;

        let bar = ProgressBar::new(stage(&catalogue) as u64);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} products {elapsed}")?);
        let (dry_run, shown) = (self.dry_run, bar.clone());
        let (report, found) = std::sync::mpsc::channel::<Report>();
        let run = move |tx: &mut dyn atoll_kernel::Write, at: &atoll_kernel::Moment| {
            shown.set_position(0);
            let done = import(tx, at, &catalogue, &|| shown.inc(1))?;
            // A dry run does everything, and is then rolled back by an error.
            let _ = report.send(done);
            if dry_run { Err(Fault::invalid("this was a dry run")) } else { Ok(()) }
        };
        let written = app.ctx.write(Actor::System, run).await;
        bar.finish_and_clear();
        app.ctx.store().close();
        let report = found.try_iter().last();
        match (written, report) {
            (Ok(_), Some(report)) => write!(std::io::stdout(), "{report}")?,
            (Err(_), Some(report)) if dry_run => {
                writeln!(std::io::stdout(), "{report}dry run: nothing was written")?;
            }
            (Err(error), _) => return Err(error.into()),
            (Ok(_), None) => {}
        }
        Ok(())
    }
}
