//! The `atoll` command line.

mod check;
mod import;
mod migrate;
mod serve;
mod user;
mod verify;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use atoll_host::{Data, Known, Settings, Sources, registry};
use clap::{Args, Parser, Subcommand};
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
    /// Imports a catalogue file, in one transaction.
    Import(import::Import),
    /// Migrates the data to the storage format of this version, as every start does, and prints the plan.
    Migrate(migrate::Migrate),
    /// Manages admin users.
    #[command(subcommand)]
    User(user::User),
    /// Recomputes all derived data from the records, and lists inconsistencies and damage.
    Verify(verify::Verify),
    /// Prints everything that is linked in, or the configuration, and reports inconsistencies.
    Check(check::Check),
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
}

impl DataArgs {
    /// The data, and the settings.
    fn open(self) -> anyhow::Result<(Data, Settings)> {
        let mut settings = settings(self.config, [("data", self.data)])?;
        Ok((settings.data.take().unwrap_or_else(|| Data::from(DATA_FOLDER)), settings))
    }
}

/// Loads the settings from the file, the environment and this command line, and starts logging by them.
fn settings(
    file: Option<PathBuf>,
    line: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> anyhow::Result<Settings> {
    let env = |name: &str| std::env::var_os(name);
    let file = file.or_else(|| env("ATOLL_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from));
    let line = line.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let settings = Settings::load(Sources { file, env: &env, line }, &Known::of(registry()?))?;
    let filter = EnvFilter::new(settings.log.as_deref().unwrap_or("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(settings)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async {
            match cli.command {
                Command::Serve(it) => it.run().await,
                Command::Import(it) => it.run().await,
                Command::Migrate(it) => it.run().await,
                Command::User(it) => it.run().await,
                Command::Verify(it) => it.run(),
                Command::Check(it) => it.run(),
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
