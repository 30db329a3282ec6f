//! `atoll import`: imports a catalogue file or CSV of any size in chunks, or, with `--atomic`, in one
//! transaction. `--dry-run` imports it into a copy of the database.

use std::{
    cell::Cell,
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use atoll_catalogue::{CsvSettings, ImportMode, Outline, import_file};
use clap::Args;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::{
    Host,
    command::{DataArgs, writing},
};

/// Between two lines of progress where the output is no terminal.
const REPORT_EVERY: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(crate) struct Import {
    /// The catalogue: JSON, as in docs/catalogue-file.md, or CSV, as in docs/csv.md.
    file: PathBuf,
    /// Report the changes, and write nothing: the import runs on a copy of the database.
    #[arg(long)]
    dry_run: bool,
    /// Write all of the file or nothing; for at most 10,000 products. Otherwise every 500 products are
    /// committed, and running an interrupted import again completes it.
    #[arg(long)]
    atomic: bool,
    /// CSV: the currency of prices whose column names none; default that of the store.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// CSV: the location of quantities, by handle, id or name; default that of the store.
    #[arg(long)]
    location: Option<String>,
    /// CSV: a channel in which products are put, by handle, id or name; may be given several times.
    #[arg(long)]
    channel: Vec<String>,
    #[command(flatten)]
    data: DataArgs,
}

impl Import {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let file =
            File::open(&self.file).with_context(|| format!("failed to open `{}`", self.file.display()))?;
        // The whole file is checked before the data is opened.
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let settings =
            CsvSettings { currency: self.currency, location: self.location, channels: self.channel };
        let outline = Outline::read_any(&file, &name, settings)
            .with_context(|| format!("`{}` is not a catalogue", self.file.display()))?;
        let (mut data, mut settings) = self.data.open(host)?;
        let mut _copy = None;
        if self.dry_run {
            (data, _copy) = data.copied().context("a dry run needs a copy of the database")?;
            settings.store = None;
        }
        let progress = Progress::of(outline.n_products)?;
        let mode = if self.atomic { ImportMode::Atomic } else { ImportMode::Chunks };
        let importing = writing(&data, settings, async |app| {
            let done = import_file(&app.ctx, file, outline, mode, |n_done| progress.show(n_done)).await;
            progress.bar.finish_and_clear();
            done.with_context(|| progress.interrupted())
        });
        let report = importing.await?;
        write!(std::io::stdout(), "{report}")?;
        if self.dry_run {
            writeln!(std::io::stdout(), "dry run: nothing was written")?;
        }
        Ok(())
    }
}

/// How far an import is: a bar on a terminal, a line now and then in a log.
struct Progress {
    n_products: usize,
    n_done: Cell<usize>,
    begun: Instant,
    shown: Cell<Instant>,
    bar: ProgressBar,
}

impl Progress {
    fn of(n_products: usize) -> anyhow::Result<Progress> {
        let bar = ProgressBar::new(n_products as u64);
        bar.set_style(ProgressStyle::with_template(
            "{bar:40} {human_pos} of {human_len} products, {per_sec}, {eta} left",
        )?);
        let now = Instant::now();
        Ok(Progress { n_products, n_done: Cell::new(0), begun: now, shown: Cell::new(now), bar })
    }

    fn show(&self, n_done: usize) {
        self.n_done.set(n_done);
        self.bar.set_position(n_done as u64);
        if std::io::stderr().is_terminal() || self.shown.get().elapsed() < REPORT_EVERY {
            return;
        }
        self.shown.set(Instant::now());
        let rate = n_done as f64 / self.begun.elapsed().as_secs_f64();
        let left = Duration::from_secs_f64(self.n_products.saturating_sub(n_done) as f64 / rate.max(0.1));
        let of = self.n_products;
        let line = format!("{n_done} of {of} products, {rate:.0} per second, {} left", HumanDuration(left));
        // A closed pipe ends no import.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn interrupted(&self) -> String {
        match self.n_done.get() {
            0 => "no product was imported".to_owned(),
            n => format!("{n} of {} products are imported; run it again to go on", self.n_products),
        }
    }
}
