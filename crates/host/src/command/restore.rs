//! `atoll restore`: makes a data folder of a backup.

use std::path::PathBuf;

use atoll_kernel::limits::VERIFY_FINDINGS_MAX;
use atoll_storage::Manifest;
use clap::Args;

use crate::{
    Host,
    command::{DataArgs, Origin, report_made, verify::verify},
};

#[derive(Args)]
pub(crate) struct Restore {
    /// The backup.
    backup: PathBuf,
    /// Verify the data, as `atoll verify` does, and restore nothing if anything is wrong.
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    data: DataArgs,
}

impl Restore {
    pub(crate) async fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, settings) = self.data.open(host)?;
        let restoring = data.fill("a backup is restored", async |new| {
            let restored = new.restore(&self.backup)?;
            if self.verify {
                verify(new, settings.cache_bytes, VERIFY_FINDINGS_MAX)?;
            }
            Ok(restored)
        });
        let manifest = restoring.await?;
        let done = format!("restored `{}`", self.backup.display());
        let Manifest { made_at, version, position, .. } = &manifest;
        let origin = Origin { made_at: *made_at, version, position: *position };
        report_made(&data, &done, "a backup", &origin)
    }
}
