//! `atoll restore`: makes a data folder of a backup.

use std::{io::Write as _, path::PathBuf};

use atoll_kernel::limits::VERIFY_FINDINGS_MAX;
use clap::Args;

use crate::{
    Host,
    command::{DataArgs, verify::verify},
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
        let mut out = std::io::stdout();
        writeln!(out, "restored `{}`", self.backup.display())?;
        writeln!(
            out,
            "it was made at {} by Atoll {}, and has all up to commit {}",
            manifest.made_at, manifest.version, manifest.position
        )?;
        let (files, _) = data.files()?;
        writeln!(out, "uploaded files are not in a backup; copy them to `{}`", files.display())?;
        Ok(())
    }
}
