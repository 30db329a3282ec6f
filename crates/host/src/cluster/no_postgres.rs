//! In place of the store in PostgreSQL, in a program that is built without it (the feature `postgres`).

use std::path::Path;

use anyhow::bail;
use atoll_kernel::{Registry, http::Peers, registry::Secret};
use atoll_storage::{Position, engines::Redb};

use super::{Cluster, Membership, SharedStore};
use crate::{Role, secrets::Given};

const NONE: &str = "this program is built without PostgreSQL";

/// Says that there is no such store.
pub(crate) fn check_address(_: &str) -> Result<(), String> {
    Err(NONE.into())
}

/// Asks how far the log goes. There is none.
#[derive(Clone)]
pub(crate) enum Latest {}

impl Latest {
    pub(crate) async fn position(&self) -> Result<Position, String> {
        match *self {}
    }
}

/// The way to other hosts. There are none.
pub(crate) fn peers(latest: &Latest) -> Box<dyn Peers> {
    match *latest {}
}

pub(crate) async fn move_in(_: &Secret, _: &mut Redb) -> anyhow::Result<Position> {
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
    _: Role,
    _: Given,
) -> anyhow::Result<(Cluster, Membership)> {
    bail!(NONE)
}
