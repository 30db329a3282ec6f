//! `atoll completions` and `atoll man`: what shells complete, and the pages of the manual.

use std::{env, ffi::OsStr, fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::command::{Cli, print};

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// The folder to which the pages are written, one for each command.
    folder: PathBuf,
}

/// What this program is called: a host of one's own has a name of its own.
fn program() -> String {
    let path = env::args_os().next().map(PathBuf::from);
    let name = path.as_deref().and_then(|it| it.file_stem()).and_then(OsStr::to_str);
    name.unwrap_or("atoll").to_owned()
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), program(), &mut script);
        print(&String::from_utf8(script)?)
    }
}

impl Man {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let Man { folder } = self;
        let all = Cli::command().display_name(program()).bin_name(program());
        let written = fs::create_dir_all(&folder).and_then(|()| clap_mangen::generate_to(all, &folder));
        written.with_context(|| format!("failed to write to {}", folder.display()))
    }
}
