//! The hosts that share a shop (cluster), as this one sees them: who leads, how far the log goes, what is
//! wrong.

mod leadership;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(not(feature = "postgres"))]
#[path = "no_postgres.rs"]
mod postgres;

use std::time::Duration;

use atoll_kernel::registry::Secret;
use atoll_storage::{Leader, Position, Seen, Standing, Store};
use tokio::sync::watch;

use self::postgres::Latest;
pub use self::postgres::Membership;
pub(crate) use self::{
    leadership::{Leadership, prepare},
    postgres::{check_address, join, move_in, move_out},
};

/// How long a leader may be silent, unless it is set: shorter ones take a pause of the host or the network for
/// its end.
pub(crate) const LEASE: Duration = Duration::from_secs(5);

/// A store that several hosts share.
#[derive(Clone, Debug)]
pub struct SharedStore {
    /// Where it is: `postgres://user:password@host/name`.
    pub address: Secret,
    /// Where other hosts reach this one; `None`: not set.
    pub url: Option<String>,
    /// How long a leader may be silent, before another host takes over.
    pub lease: Duration,
}

/// The hosts that share a store. Clones share it.
#[derive(Clone)]
pub struct Cluster {
    store: Store,
    seen: watch::Sender<Seen>,
    /// None of a host alone.
    latest: Option<Latest>,
}

impl Cluster {
    /// This host alone, which always leads.
    pub fn alone(store: Store) -> Cluster {
        let seen = watch::Sender::new(Seen { leader: Leader::Here, ..Seen::default() });
        Cluster { store, seen, latest: None }
    }

    /// The store of this host, with its standing ([`Store::standing`]), its position, and those that it has
    /// [reached](Store::reached).
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Are there, or may there be, other hosts?
    pub fn is_shared(&self) -> bool {
        *self.store.standing().borrow() != Standing::Alone
    }

    /// What this host knows of the others, for tasks that wait for a change. It stays open as long as this
    /// cluster.
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Who leads. This host does only while no other one can, by its own clock.
    pub fn leader(&self) -> Leader {
        self.seen.borrow().led_by()
    }

    /// The last commit of all hosts, at a moment after this was called. Errors: PostgreSQL does not answer.
    pub async fn head(&self) -> Result<Position, String> {
        match &self.latest {
            Some(latest) => latest.position().await,
            None => Ok(self.store.view().position()),
        }
    }
}
