//! `atoll check`: prints the registry, the settings or the storage format, and reports inconsistencies.

use std::path::PathBuf;

use clap::Args;

use crate::{Host, command::print, described, registry};

#[derive(Args)]
pub(crate) struct Check {
    /// Print the settings with their sources instead: those of this file, or of `atoll.toml`, the environment
    /// and the defaults.
    #[arg(long, num_args = 0..=1)]
    config: Option<Option<PathBuf>>,
    /// Print the storage format instead: the content of the fingerprints in the database.
    #[arg(long, conflicts_with = "config")]
    format: bool,
    /// A setting of a module, such as `restock.days=7`; may be given several times.
    #[arg(long, value_name = "MODULE.NAME=VALUE")]
    set: Vec<String>,
}

impl Check {
    pub(crate) fn run(self, host: &Host) -> anyhow::Result<()> {
        let shows_settings = self.config.is_some();
        let settings = host.settings(self.config.flatten(), self.set, [])?;
        let text = match shows_settings {
            true => settings.shown.join("\n") + "\n",
            false if self.format => registry()?.format().to_string(),
            false => described()?,
        };
        print(&text)
    }
}
