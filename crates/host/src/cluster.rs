//! The hosts that share a shop (cluster), as this one sees them: who leads, how far the log goes, what is
//! wrong.

use atoll_storage::{Leader, Seen, Standing, Store};
use tokio::sync::watch;

/// The hosts that share a store. Clones share it.
#[derive(Clone)]
pub struct Cluster {
    store: Store,
    seen: watch::Sender<Seen>,
}

impl Cluster {
    /// This host alone, which always leads.
    pub fn alone(store: Store) -> Cluster {
        Cluster { store, seen: watch::Sender::new(Seen { leader: Leader::Here, ..Seen::default() }) }
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

    /// Who leads.
    pub fn leader(&self) -> Leader {
        self.seen.borrow().leader.clone()
    }
}
