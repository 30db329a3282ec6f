//! `atoll compact`: makes the database file of a stopped shop as small as its content allows.

use std::io::Write as _;

use clap::Args;

use crate::{Host, command::DataArgs};

#[derive(Args)]
pub(crate) struct Compact {
    #[command(flatten)]
    data: DataArgs,
}

impl Compact {
    pub(crate) fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, settings) = self.data.open(host)?;
        let (before, after) = data.compact(settings.cache_bytes)?;
        writeln!(std::io::stdout(), "the database had {before} bytes, and has {after}")?;
        Ok(())
    }
}
