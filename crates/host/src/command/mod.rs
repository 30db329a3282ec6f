//! The command line of a host: `serve`, `import`, `csv`, `migrate`, `user`, `verify`, `backup`, `restore`,
//! `export-shop`, `import-shop`, `store`, `compact`, `check`, `openapi`, `completions`, `man`.

mod backup;
mod check;
mod compact;
mod csv;
mod export_shop;
mod import;
mod import_shop;
mod manual;
mod migrate;
mod openapi;
mod restore;
mod serve;
mod store;
mod user;
mod verify;

use std::{
    future::Future,
    io::{ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use atoll_kernel::Timestamp;
use atoll_sales_channel::SalesChannel;
use atoll_storage::{Position, Progress};
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{MissedTickBehavior, interval};

use crate::{Application, Assembly, Data, Host, Role, Settings, control::Done};

pub(crate) use user::UserWork;

/// A commerce backend that sells one catalogue through many sales channels.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the HTTP API.
    Serve(Box<serve::Serve>),
    /// Imports a catalogue file, or a catalogue as CSV.
    Import(import::Import),
    /// Exports products, listings, stock or orders of a stopped shop as CSV.
    #[command(subcommand)]
    Csv(csv::Csv),
    /// Migrates the data to the storage format of this version, as every start does, and prints the plan.
    Migrate(migrate::Migrate),
    /// Manages admin users.
    #[command(subcommand)]
    User(user::User),
    /// Recomputes all derived data from the records, and lists inconsistencies and damage.
    Verify(verify::Verify),
    /// Backs the data up, while the shop runs or is stopped.
    Backup(backup::Backup),
    /// Makes a new data folder of a backup.
    Restore(restore::Restore),
    /// Exports the whole shop as JSON lines, a file for each table, while it runs or is stopped.
    ExportShop(export_shop::ExportShop),
    /// Makes a new data folder of an export of the whole shop.
    ImportShop(import_shop::ImportShop),
    /// Moves the data of one host into a store that several hosts share, and out of it.
    #[command(subcommand)]
    Store(store::Store),
    /// Makes the database file smaller, where deleted data left free space.
    Compact(compact::Compact),
    /// Prints everything that is linked in, or the configuration, and reports inconsistencies.
    Check(check::Check),
    /// Prints the OpenAPI document of the routes, as `/openapi.json` serves it.
    Openapi(openapi::Openapi),
    /// Prints the script by which a shell completes commands and options.
    Completions(manual::Completions),
    /// Writes the pages of the manual (`man`).
    Man(manual::Man),
}

/// What an operator is told of a channel that demands shipping methods and cannot have any.
pub(crate) fn cannot_ship(channel: &SalesChannel) -> String {
    format!(
        "sales channel `{}` ({}) demands shipping methods, and has no shipping option that a storefront can \
         choose: carts with goods that are shipped cannot be completed there. Add an option, or set \
         `require_shipping` of the store to false",
        channel.name, channel.id
    )
}

/// The data folder, where none is named.
const DATA_FOLDER: &str = "atoll-data";

/// The settings file and the data folder.
#[derive(Args)]
struct DataArgs {
    /// The settings file; default `atoll.toml`, if it exists [env: ATOLL_CONFIG].
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data folder, or `:memory:`; default `atoll-data` [env: ATOLL_DATA].
    #[arg(long)]
    data: Option<String>,
    /// A setting of a module, such as `restock.days=7`; may be given several times.
    #[arg(long, value_name = "MODULE.NAME=VALUE")]
    set: Vec<String>,
}

impl DataArgs {
    /// The data, and the settings.
    fn open(self, host: &Host) -> anyhow::Result<(Data, Settings)> {
        self.open_with(host, [])
    }

    /// As `open`, with further settings of the command line.
    fn open_with(
        self,
        host: &Host,
        line: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> anyhow::Result<(Data, Settings)> {
        let line = line.into_iter().chain([("data", self.data)]);
        let mut settings = host.settings(self.config, self.set, line)?;
        Ok((settings.data.take().unwrap_or_else(|| Data::from(DATA_FOLDER)), settings))
    }
}

/// The store that several hosts share.
#[derive(Args)]
struct StoreArgs {
    /// The address of the store that several hosts share, `postgres://user@host/name`; default none: the data
    /// folder is the store [env: ATOLL_STORE].
    #[arg(long)]
    store: Option<String>,
    /// A file with it [env: ATOLL_STORE_FILE].
    #[arg(long)]
    store_file: Option<String>,
}

/// Works on the data, which no other process uses meanwhile. Of several hosts this one leads while it does;
/// errors: another one leads.
async fn writing<T>(
    data: &Data,
    settings: Settings,
    work: impl AsyncFnOnce(&Application) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let settings = Settings { role: Role::Shared, ..settings };
    let mut app = Assembly::open(data, settings).await?.start().await?;
    let done = async {
        if let Some(membership) = &mut app.membership {
            membership.lead(&app.ctx, &app.cluster, app.admin.as_ref()).await?;
        }
        work(&app).await
    };
    let done = done.await;
    if let Some(membership) = app.membership {
        membership.leave().await;
    }
    app.ctx.store().close();
    done
}

/// A bar on a terminal that shows how many of these are done.
fn bar(unit: &str) -> anyhow::Result<ProgressBar> {
    let template = format!("{{bar:40}} {{human_pos}} of {{human_len}} {unit}, {{eta}} left");
    Ok(ProgressBar::new(0).with_style(ProgressStyle::with_template(&template)?))
}

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Shows how far an export or import is, until it ends.
async fn watch<T>(progress: &Progress, bar: &ProgressBar, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = looks.tick() => {
                bar.set_length(progress.n_all());
                bar.set_position(progress.n_done());
            }
        }
    }
}

/// Says what a backup or an export has, and what not.
fn report(data: &Data, verb: &str, Done { path, bytes, position }: &Done) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{verb} to `{}`", path.display())?;
    writeln!(out, "it has {bytes} bytes, and all up to commit {position}")?;
    if !path.exists() {
        writeln!(out, "it cannot be seen from here: the running process may have a `/tmp` of its own")?;
    }
    let (files, _) = data.files()?;
    if files.exists() {
        writeln!(out, "uploaded files are not in it; copy `{}` as well", files.display())?;
    }
    Ok(())
}

/// Says of what data was made, of a backup or an export, and what was not in it.
fn report_made(data: &Data, done: &str, of: &str, origin: &Origin<'_>) -> anyhow::Result<()> {
    let Origin { made_at, version, position } = origin;
    let mut out = std::io::stdout();
    writeln!(out, "{done}")?;
    writeln!(out, "it was made at {made_at} by Atoll {version}, and has all up to commit {position}")?;
    let (files, _) = data.files()?;
    writeln!(out, "uploaded files are not in {of}; copy them to `{}`", files.display())?;
    Ok(())
}

/// What a backup or an export says of itself.
struct Origin<'a> {
    made_at: Timestamp,
    version: &'a str,
    position: Position,
}

/// Writes to the standard output. That its reader, such as `head`, has closed the pipe is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match write!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Runs the command that the command line names.
pub(crate) fn main(host: &Host) -> ExitCode {
    let cli = Cli::parse();
    let done = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async {
            match cli.command {
                Command::Serve(it) => it.run(host).await,
                Command::Import(it) => it.run(host).await,
                Command::Csv(it) => it.run(host),
                Command::Migrate(it) => it.run(host).await,
                Command::User(it) => it.run(host).await,
                Command::Verify(it) => it.run(host),
                Command::Backup(it) => it.run(host),
                Command::Restore(it) => it.run(host).await,
                Command::ExportShop(it) => it.run(host).await,
                Command::ImportShop(it) => it.run(host).await,
                Command::Store(it) => it.run(host).await,
                Command::Compact(it) => it.run(host),
                Command::Check(it) => it.run(host),
                Command::Openapi(it) => it.run(host),
                Command::Completions(it) => it.run(),
                Command::Man(it) => it.run(),
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Before the settings are loaded there is no log.
            if tracing::dispatcher::has_been_set() {
                tracing::error!("{error:#}");
            } else {
                let _ = writeln!(std::io::stderr(), "error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
