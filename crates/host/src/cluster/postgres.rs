//! Joining the hosts whose store is in PostgreSQL: the replica of this one, and its membership.

use std::path::Path;

use anyhow::Context as _;
use atoll_kernel::{
    Registry,
    http::{PeerError, Peers, Working},
    limits::CACHE_BYTES,
    registry::Secret,
};
use atoll_peers::PeerClient;
pub(crate) use atoll_postgres::Latest;
use atoll_postgres::{Database, Member, bring_up};
use atoll_storage::{Position, Store, StoreOptions, engines::Redb};
use axum::{extract::Request, response::Response};

use super::{Candidacy, Cluster, Membership, SharedStore, Task};
use crate::{Role, secrets::Given};

/// The way to the other hosts, and to the log that they share.
pub(crate) fn peers(latest: &Latest) -> Box<dyn Peers> {
    Box::new(Ways { client: PeerClient::default(), latest: latest.clone() })
}

struct Ways {
    client: PeerClient,
    latest: Latest,
}

impl Peers for Ways {
    fn send(&self, url: &str, request: Request) -> Working<Result<Response, PeerError>> {
        self.client.send(url, request)
    }

    fn head(&self) -> Working<Result<Position, String>> {
        let latest = self.latest.clone();
        Box::pin(async move { latest.position().await })
    }
}

/// Is this the address of a store? Errors: why not; they tell no password.
pub(crate) fn check_address(address: &str) -> Result<(), String> {
    Database::parse(address).map(drop).map_err(|error| error.to_string())
}

/// Opens the replica in this file, or makes it, and takes part from then on.
pub(crate) async fn join(
    shared: &SharedStore,
    file: &Path,
    cache_bytes: usize,
    registry: &'static Registry,
    role: Role,
    given: Given,
) -> anyhow::Result<(Cluster, Membership)> {
    let database = Database::parse(&shared.address.0)?;
    let replica = bring_up(&database, file, cache_bytes).await?;
    let store = Store::open_replica(replica, &registry.spaces(), StoreOptions::default())?;
    let candidacy = Candidacy::new(store.clone(), registry, role);
    let stands = candidacy.clone();
    let url = shared.url.clone().unwrap_or_default();
    let latest = Some(Latest::new(database.clone(), shared.lease));
    let member = Member::new(database, store.clone(), url, shared.lease);
    let seen = member.seen();
    let task = Task::spawn(async move |stopped| {
        let taking_part = member.run(|_| stands.stands(), stopped);
        taking_part.await.context("this host takes part no more: start it again")
    });
    Ok((Cluster { store, seen, latest }, Membership { task, candidacy, given }))
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
