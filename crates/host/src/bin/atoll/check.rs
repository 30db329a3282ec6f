//! `atoll check`: prints the registry, the settings or the storage format, and reports inconsistencies.

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
};

use clap::Args;

#[derive(Args)]
pub(crate) struct Check {
    /// Print the settings with their sources instead: those of this file, or of `atoll.toml`, the environment
    /// and the defaults.
    #[arg(long, num_args = 0..=1)]
    config: Option<Option<PathBuf>>,
    /// Print the storage format instead: the content of the fingerprints in the database.
    #[arg(long, conflicts_with = "config")]
    format: bool,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let text = match self.config {
            Some(file) => crate::settings(file, [])?.shown.join("\n") + "\n",
            None if self.format => atoll_host::registry()?.format().to_string(),
            None => atoll_host::registry()?.to_string(),
        };
        match write!(std::io::stdout().lock(), "{text}") {
            // The reader, such as `head`, has closed the pipe.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            done => Ok(done?),
        }
    }
}
