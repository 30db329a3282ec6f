//! In place of the store in PostgreSQL, in a program that is built without it (the feature `postgres`).

use std::path::Path;

use anyhow::bail;
use atoll_kernel::{Registry, registry::Secret};
use atoll_storage::{Position, engines::Redb};
use tokio::sync::watch;

use super::{Cluster, SharedStore};

const NONE: &str = "this program is built without PostgreSQL";

/// A host among others. There is none.
pub enum Membership {}

impl Membership {
    pub(crate) fn may_lead(&self) -> watch::Sender<bool> {
        match *self {}
    }

    pub(crate) async fn run(self, _: watch::Receiver<bool>) -> anyhow::Result<()> {
        match self {}
    }
}

/// Says that there is no such store.
pub(crate) fn check_address(_: &str) -> Result<(), String> {
    Err(NONE.into())
}

pub(crate) async fn move_in(_: &Secret, _: &Redb) -> anyhow::Result<Position> {
    bail!(NONE)
}

pub(crate) async fn move_out(_: &Secret, _: &Path, _: Option<usize>) -> anyhow::Result<Position> {
    bail!(NONE)
}

pub(crate) async fn join(
    _: &SharedStore,
    _: &Path,
    _: usize,
    _: &'static Registry,
) -> anyhow::Result<(Cluster, Membership)> {
    bail!(NONE)
}
