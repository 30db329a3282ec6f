//! The `atoll` command.

mod check;
mod import;
mod migrate;
mod serve;
mod user;
mod verify;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use atoll_host::{Settings, Sources, registry};
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
    /// Reads a catalogue file into the store: all of it, or nothing.
    Import(import::Import),
    /// Brings the data to what this version stores, as every start does, and says what that is.
    Migrate(migrate::Migrate),
    /// Manages admin users.
    #[command(subcommand)]
    User(user::User),
    /// Recomputes what follows from the records, and lists what the data folder says otherwise.
    Verify(verify::Verify),
    /// Prints everything that is linked in, or the configuration, and says what is wrong with it.
    Check(check::Check),
}

/// Where the settings are, and where the data lives.
#[derive(Args)]
struct DataArgs {
    /// The file with the settings; `atoll.toml`, if it is there [env: ATOLL_CONFIG].
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data folder, or `:memory:`; `atoll-data` where nothing is said [env: ATOLL_DATA].
    #[arg(long)]
    data: Option<String>,
}

impl DataArgs {
    fn settings(self) -> anyhow::Result<Settings> {
        settings(self.config, [("data", self.data)])
    }
}

/// The settings of the file, the environment and this command line; from here on, things are logged as they say.
fn settings(
    file: Option<PathBuf>,
    line: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> anyhow::Result<Settings> {
    let env = |name: &str| std::env::var_os(name);
    let file = file.or_else(|| env("ATOLL_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from));
    let line = line.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let settings = Settings::load(Sources { file, env: &env, line }, &registry()?.flags)?;
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
            // What went wrong before the settings were read is not logged.
            if tracing::dispatcher::has_been_set() {
                tracing::error!("{error:#}");
            } else {
                let _ = writeln!(std::io::stderr(), "error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
