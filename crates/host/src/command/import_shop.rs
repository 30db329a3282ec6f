//! `atoll import-shop`: makes a new data folder of an export of the whole shop.

use std::{io::Write as _, path::PathBuf, sync::Arc};

use atoll_export::{Progress, import};
use atoll_kernel::Timestamp;
use clap::Args;

use crate::{
    Host,
    command::{DataArgs, bar, watch},
    registry,
};

#[derive(Args)]
pub(crate) struct ImportShop {
    /// The folder of the export.
    export: PathBuf,
    /// Import without verifying: for an export of a shop in which `atoll verify` finds something.
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    data: DataArgs,
}

impl ImportShop {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, _) = self.data.open(host)?;
        let (bar, progress) = (bar("lines")?, Arc::<Progress>::default());
        let verify = (!self.unverified).then(Timestamp::now);
        let importing = data.fill("an export is imported", async |new| {
            let store = new.open(registry()?)?;
            let manifest = import(&store, registry()?, &self.export, verify, &progress).await;
            store.close();
            Ok((manifest?, Vec::new()))
        });
        let manifest = watch(&progress, &bar, importing).await?;
        bar.finish_and_clear();
        let mut out = std::io::stdout();
        writeln!(out, "imported `{}`", self.export.display())?;
        writeln!(
            out,
            "it was made at {} by Atoll {}, and has all up to commit {}",
            manifest.made_at, manifest.version, manifest.position
        )?;
        let (files, _) = data.files()?;
        writeln!(out, "uploaded files are not in an export; copy them to `{}`", files.display())?;
        Ok(())
    }
}
