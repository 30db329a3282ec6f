//! `atoll verify`: verifies the data folder of a stopped shop, offline.

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, bail};
use atoll_kernel::{
    Timestamp, limits::VERIFY_FINDINGS_MAX, migration::Plan as MigrationPlan, verify::Findings,
};
use clap::Args;

use crate::{Data, Host, command::DataArgs, registry};

#[derive(Args)]
pub(crate) struct Verify {
    /// Most findings to list; all are counted.
    #[arg(long, default_value_t = VERIFY_FINDINGS_MAX)]
    limit: usize,
    #[command(flatten)]
    data: DataArgs,
}

impl Verify {
    pub(crate) fn run(self, host: &Host) -> anyhow::Result<()> {
        let (data, settings) = self.data.open(host)?;
        verify(&data, settings.cache_bytes, self.limit)
    }
}

/// Verifies data, and prints the findings, one line each. Errors: there is any.
pub(crate) fn verify(data: &Data, cache_bytes: Option<usize>, n_listed_max: usize) -> anyhow::Result<()> {
    let registry = registry()?;
    let (_file, view) = data.look(&registry.spaces(), cache_bytes)?;
    let plan = MigrationPlan::of(&view, registry)?;
    let mut out = std::io::stdout().lock();
    if !plan.is_done() {
        write!(out, "a migration is due, by `atoll migrate` or the next start:\n{plan}")?;
        writeln!(
            out,
            "what the migration rebuilds, and rules between records, are not checked before it is done"
        )?;
    }
    let findings = Findings::new(n_listed_max, Arc::default());
    let report = registry.verify_before(&plan, view, Timestamp::now(), findings);
    let report = report.context("the store cannot be read completely")?;
    for it in &report.findings {
        let (kind, space, key) = (it.kind, it.space, &it.key);
        writeln!(out, "{kind} in {space} at `{key}`: {}; expected {}", it.found, it.expected)?;
    }
    let (n_listed, n_findings) = (report.findings.len() as u64, report.n_findings);
    if n_listed < n_findings {
        writeln!(out, "… and {} more", n_findings - n_listed)?;
    }
    let of = |counts: &std::collections::BTreeMap<&str, u64>| {
        counts.iter().map(|(what, n)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "checked {}", of(&report.checked))?;
    if n_findings > 0 {
        bail!("{n_findings} findings: {}", of(&report.kinds));
    }
    writeln!(out, "nothing is wrong")?;
    Ok(())
}
