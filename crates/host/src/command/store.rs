//! `atoll store`: moves the data of one host into a store that several hosts share, and out of it.

use std::{io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};

use crate::{
    Data, Host, SharedStore,
    cluster::{move_in, move_out},
    command::DATA_FOLDER,
    registry,
};

/// Which way.
#[derive(Subcommand)]
pub(crate) enum Store {
    /// Moves the data folder of a stopped host into an empty store. Its database becomes the replica of this
    /// host.
    MoveIn(Shared),
    /// Makes a new data folder of what the store holds.
    MoveOut(Shared),
}

#[derive(Args)]
pub(crate) struct Shared {
    /// The settings file; default `atoll.toml`, if it exists [env: ATOLL_CONFIG].
    #[arg(long)]
    config: Option<PathBuf>,
    /// The data folder; default `atoll-data` [env: ATOLL_DATA].
    #[arg(long)]
    data: Option<String>,
    /// The address of the store, `postgres://user@host/name` [env: ATOLL_STORE].
    #[arg(long)]
    store: Option<String>,
    /// A file with it [env: ATOLL_STORE_FILE].
    #[arg(long)]
    store_file: Option<String>,
}

impl Store {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (Store::MoveIn(shared) | Store::MoveOut(shared)) = &self;
        let line = [
            ("data", shared.data.clone()),
            ("store", shared.store.clone()),
            ("store_file", shared.store_file.clone()),
        ];
        let mut settings = host.settings(shared.config.clone(), Vec::new(), line)?;
        let data = settings.data.take().unwrap_or_else(|| Data::from(DATA_FOLDER));
        let Some(SharedStore { address, .. }) = settings.store else {
            anyhow::bail!("name the store: `--store` or `--store-file`");
        };
        let (cache_bytes, registry) = (settings.cache_bytes, registry()?);
        let (position, way) = match self {
            Store::MoveIn(_) => {
                let moving = async |engine: &mut _| move_in(&address, engine).await;
                (data.move_in(registry, cache_bytes, moving).await?, "in")
            }
            Store::MoveOut(_) => {
                let fill = async |new: &Data| {
                    let file = new.database().expect("it is a folder");
                    Ok((move_out(&address, &file, cache_bytes).await?, Vec::new()))
                };
                (data.fill("a store is moved out", fill).await?, "out")
            }
        };
        writeln!(std::io::stdout(), "moved {way}, all up to commit {position}")?;
        Ok(())
    }
}
