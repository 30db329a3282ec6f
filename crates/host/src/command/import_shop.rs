//! `atoll import-shop`: makes a new data folder of an export of the whole shop.

use std::{path::PathBuf, sync::Arc};

use atoll_export::{Manifest, import};
use atoll_kernel::Timestamp;
use atoll_storage::Progress;
use clap::Args;

use crate::{
    Host,
    command::{DataArgs, Origin, bar, report_made, watch},
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
        let done = format!("imported `{}`", self.export.display());
        let Manifest { made_at, version, position, .. } = &manifest;
        let origin = Origin { made_at: *made_at, version, position: *position };
        report_made(&data, &done, "an export", &origin)
    }
}
