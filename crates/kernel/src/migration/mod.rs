//! Migration: what a program knows of its tables, indexes, links and projections is compared with what is
//! kept of them in the database, and what is new or differs is built anew before anything is served.
//!
//! `fingerprint.rs` says what is kept, `plan.rs` what is to be done or why it cannot be, with `check.rs`,
//! which reads the rows for it; `rebuild.rs` does it.

mod check;
mod fingerprint;
mod plan;
mod rebuild;

use crate::{
    Registry, StoreError,
    data::{RowError, Space, Store},
};

pub use self::{
    fingerprint::{Fingerprint, Format, PartKind},
    plan::Plan,
};

/// The space of the fingerprints, and of how far a migration came.
pub const FORMAT: Space = "format";

/// Why data is not opened.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It does not go together with this program; nothing was changed.
    #[error("the data does not go together with this program, and was left as it is:\n- {}", .0.join("\n- "))]
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

/// Brings the data to what this program knows, if it is anything else. What a process that was interrupted
/// has begun is gone on with.
pub async fn migrate(store: &Store, registry: &'static Registry) -> Result<(), MigrationError> {
    let plan = Plan::of(&store.view(), registry)?;
    plan.notes.iter().for_each(|note| tracing::info!("{note}"));
    if plan.is_done() {
        return Ok(());
    }
    if !plan.is_new {
        plan.steps().for_each(|step| tracing::info!("migration: {step}"));
    }
    rebuild::run(store, plan).await
}
