//! `atoll migrate`: migrates the data; `--dry-run` prints the plan only.

use std::io::Write as _;

use atoll_flows::cart::unable_to_ship;
use atoll_kernel::{Timestamp, migration::migrate_by};
use clap::Args;

use crate::{
    Host,
    command::{DataArgs, cannot_ship},
    registry,
};

#[derive(Args)]
pub(crate) struct Migrate {
    /// Print the plan, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    data: DataArgs,
}

impl Migrate {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, settings) = self.data.open(host)?;
        let registry = registry()?;
        let planned = data.plan(registry, settings.cache_bytes)?;
        write!(std::io::stdout(), "{}", planned.plan)?;
        // What a later version demands of a shop is told before it begins to.
        for it in unable_to_ship(&planned.view(registry)?, Timestamp::now())? {
            writeln!(std::io::stdout(), "{}", cannot_ship(&it))?;
        }
        if self.dry_run {
            writeln!(std::io::stdout(), "dry run: nothing was written")?;
            return Ok(());
        }
        if !planned.plan.is_done() {
            let (store, plan) = planned.open(registry)?;
            let migrated = migrate_by(&store, plan).await;
            store.close();
            migrated?;
            writeln!(std::io::stdout(), "done")?;
        }
        Ok(())
    }
}
