//! A host: the program of a shop, made of the core's modules and modules of one's own, with all commands.

use std::{collections::BTreeSet, env, path::PathBuf, process::ExitCode};

use atoll_kernel::{Registry, data::Module, registry::linked_settings};

use crate::{Known, Settings, Sources, command, logging::start_log};

/// A host. Its `main` is all that a program of one's own needs:
/// `Host::new().with(&reviews::MODULE).without("fulfillment").main()`.
#[derive(Default)]
pub struct Host {
    with: Vec<&'static Module>,
    off: BTreeSet<String>,
}

impl Host {
    /// The modules of the core.
    pub fn new() -> Host {
        Host::default()
    }

    /// Adds a module. To name its crate here is what links it in, with everything that it registers.
    #[must_use]
    pub fn with(mut self, module: &'static Module) -> Host {
        self.with.push(module);
        self
    }

    /// Switches an optional module off, as the setting `modules.off` does. What needs it is named at start.
    #[must_use]
    pub fn without(mut self, module: &str) -> Host {
        self.off.insert(module.to_owned());
        self
    }

    /// Runs the command that the command line names: `serve`, `migrate`, `verify`, `check`, ….
    pub fn main(self) -> ExitCode {
        command::main(&self)
    }

    /// Loads the settings from the file, the environment and this command line, chooses the modules, and
    /// starts logging.
    pub(crate) fn settings(
        &self,
        file: Option<PathBuf>,
        set: Vec<String>,
        line: impl IntoIterator<Item = (&'static str, Option<String>)>,
    ) -> anyhow::Result<Settings> {
        let env = |name: &str| env::var_os(name);
        let file = file.or_else(|| env("ATOLL_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from));
        let line = line.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let sources = Sources { file, env: &env, line, set, linked: linked_settings() };
        let settings = Settings::load(sources, &self.off, |off| self.known(off))?;
        start_log(settings.log.as_deref().unwrap_or("info"), settings.log_format);
        settings.warnings.iter().for_each(|it| tracing::warn!("{it}"));
        Ok(settings)
    }

    /// What settings may name, if these modules are off.
    fn known(&self, off: &BTreeSet<String>) -> Result<Known<'static>, Vec<String>> {
        let registry = Registry::without(off)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let mut linked = registry.modules.iter().chain(&registry.left_out.modules);
        match self.with.iter().find(|it| !linked.any(|linked| std::ptr::eq(*linked, **it))) {
            Some(it) => {
                Err(vec![format!("the module `{}` is not registered: declare it by `module!`", it.name)])
            }
            None => Ok(Known::of(registry)),
        }
    }
}
