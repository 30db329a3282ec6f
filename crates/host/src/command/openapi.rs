//! `atoll openapi`: prints the OpenAPI document, for generators of clients and for reviews of the API.

use std::path::PathBuf;

use clap::Args;

use crate::{Host, command::print, registry};

#[derive(Args)]
pub(crate) struct Openapi {
    /// The settings file, whose modules and feature flags count; default `atoll.toml`, if it exists [env:
    /// ATOLL_CONFIG].
    #[arg(long)]
    config: Option<PathBuf>,
}

impl Openapi {
    pub(crate) fn run(self, host: &Host) -> anyhow::Result<()> {
        let settings = host.settings(self.config, Vec::new(), [])?;
        print(&(atoll_api::openapi_document(&registry()?.routes_with(&settings.flags)) + "\n"))
    }
}
