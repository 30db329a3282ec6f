//! The `atoll` command.

mod check;
mod import;
mod serve;
mod user;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use mimalloc::MiMalloc;

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
    Serve(serve::Serve),
    /// Reads a catalogue file into the store: all of it, or nothing.
    Import(import::Import),
    /// Manages admin users.
    #[command(subcommand)]
    User(user::User),
    /// Prints everything that is linked in, and says what does not fit together.
    Check,
}

/// Where the data lives.
#[derive(Args)]
struct DataArgs {
    /// The data folder, or `:memory:`.
    #[arg(long, env = "ATOLL_DATA", default_value = "atoll-data")]
    data: String,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("ATOLL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async {
            match cli.command {
                Command::Serve(it) => it.run().await,
                Command::Import(it) => it.run().await,
                Command::User(it) => it.run().await,
                Command::Check => check::run(),
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
