//! Schema migration at the start: the fingerprints that are stored in the database are compared with those of
//! the program. What is new or differs is rewritten or rebuilt before any request is served.
//!
//! `fingerprint.rs` has the fingerprints, `plan.rs` the plan (also for a dry run) or the reasons for a
//! refusal, with `check.rs`, which reads the rows for it; `rebuild.rs` executes the plan.

mod check;
mod compatibility;
mod fingerprint;
mod plan;
mod rebuild;

use crate::{
    Registry, StoreError,
    data::{RowError, Space, Store},
};

pub use self::{
    compatibility::Compatibility,
    fingerprint::{Fingerprint, Format, PartKind},
    plan::{Plan, is_current},
};

/// The space of the fingerprints, and of the progress of a migration.
pub const FORMAT: Space = "format";

/// Why data was not opened.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// This program cannot migrate the data. Nothing was changed.
    #[error("this program cannot open the data, which was left as it is:\n- {}", .0.join("\n- "))]
    Refused(Vec<String>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowError> for MigrationError {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Store(error) => error.into(),
            error => MigrationError::Refused(vec![error.to_string()]),
        }
    }
}

/// Migrates the data to the schema of this program, if it differs. Resumes a migration that was interrupted.
pub async fn migrate(store: &Store, registry: &'static Registry) -> Result<(), MigrationError> {
    let plan = Plan::of(&store.view(), registry)?;
    migrate_by(store, plan).await
}

/// As [`migrate`], by a plan that was made from this store or before it was opened: making one reads all rows
/// that are concerned. Nothing else may have been written since the plan was made.
pub async fn migrate_by(store: &Store, mut plan: Plan) -> Result<(), MigrationError> {
    // They were given their checksums when the store was opened.
    plan.n_unchecked = 0;
    plan.notes.iter().for_each(|note| tracing::info!("{note}"));
    if plan.is_done() {
        return Ok(());
    }
    if !plan.is_new {
        plan.steps().for_each(|step| tracing::info!("migration: {step}"));
    }
    rebuild::run(store, plan).await
}
