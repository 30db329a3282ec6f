//! `atoll store`: moves the data of one host into a store that several hosts share, and out of it.

use std::io::Write as _;

use clap::{Args, Subcommand};

use crate::{
    Data, Host, SharedStore,
    cluster::{move_in, move_out},
    command::{DataArgs, StoreArgs},
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
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    store: StoreArgs,
}

impl Store {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (is_in, Shared { data, store }) = match self {
            Store::MoveIn(shared) => (true, shared),
            Store::MoveOut(shared) => (false, shared),
        };
        let line = [("store", store.store), ("store_file", store.store_file)];
        let (data, settings) = data.open_with(host, line)?;
        let Some(SharedStore { address, .. }) = settings.store else {
            anyhow::bail!("name the store: `--store` or `--store-file`");
        };
        let (cache_bytes, registry) = (settings.cache_bytes, registry()?);
        let (position, way) = if is_in {
            let moving = async |engine: &mut _| move_in(&address, engine).await;
            (data.move_in(registry, cache_bytes, moving).await?, "in")
        } else {
            let fill = async |new: &Data| {
                let file = new.database().expect("it is a folder");
                Ok((move_out(&address, &file, cache_bytes).await?, Vec::new()))
            };
            (data.fill("a store is moved out", fill).await?, "out")
        };
        writeln!(std::io::stdout(), "moved {way}, all up to commit {position}")?;
        Ok(())
    }
}
