//! Joining the hosts whose store is in PostgreSQL: the replica of this one, and its membership.

use std::path::Path;

use anyhow::Context as _;
use atoll_kernel::{Registry, limits::CACHE_BYTES, registry::Secret};
pub(crate) use atoll_postgres::Latest;
use atoll_postgres::{Database, Member, bring_up};
use atoll_storage::{Position, Store, StoreOptions, View, engines::Redb};
use tokio::sync::watch;

use super::{Cluster, SharedStore};

/// This host among the others: it follows and leads while it [runs](Membership::run).
pub struct Membership(Member);

impl Membership {
    /// Takes part until it is stopped, then gives the leadership back. `may_lead` is asked about the data
    /// before it leads. Errors: the replica is of no use any more; a process that starts anew makes another
    /// one.
    pub(crate) async fn run(
        self,
        may_lead: impl Fn(&View) -> bool + Sync,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        self.0.run(may_lead, stopped).await.context("this host takes part no more: start it again")
    }
}

/// Is this the address of a store? Errors: why not; they tell no password.
pub(crate) fn check_address(address: &str) -> Result<(), String> {
    Database::parse(address).map(drop).map_err(|error| error.to_string())
}

/// Opens the replica in this file, or makes it.
pub(crate) async fn join(
    shared: &SharedStore,
    file: &Path,
    cache_bytes: usize,
    registry: &'static Registry,
) -> anyhow::Result<(Cluster, Membership)> {
    let database = Database::parse(&shared.address.0)?;
    let replica = bring_up(&database, file, cache_bytes).await?;
    let store = Store::open_replica(replica, &registry.spaces(), StoreOptions::default())?;
    let url = shared.url.clone().unwrap_or_default();
    let latest = Some(Latest::new(database.clone(), shared.lease));
    let member = Member::new(database, store.clone(), url, shared.lease);
    Ok((Cluster { store, seen: member.seen(), latest }, Membership(member)))
}

/// Copies what the engine holds into an empty store.
pub(crate) async fn move_in(address: &Secret, engine: &mut Redb) -> anyhow::Result<Position> {
    Ok(atoll_postgres::move_in(&Database::parse(&address.0)?, engine).await?)
}

/// Makes this file of what the store holds.
pub(crate) async fn move_out(
    address: &Secret,
    file: &Path,
    cache_bytes: Option<usize>,
) -> anyhow::Result<Position> {
    let database = Database::parse(&address.0)?;
    Ok(atoll_postgres::move_out(&database, file, cache_bytes.unwrap_or(CACHE_BYTES)).await?)
}
