//! The settings of a store that several hosts share: its address, that of this host, and the lease of the one
//! that leads.

use super::{
    Loading, Secret,
    keys::{PEER_URL, STORE, STORE_LEASE},
    parse::{lease, origin},
};
use crate::{
    SharedStore,
    cluster::{LEASE, check_address},
};

impl Loading<'_> {
    /// The store that is shared, if one is named.
    pub(super) fn shared_store(&mut self) -> Option<SharedStore> {
        let address = self.get(&STORE, |it| check_address(it).map(|()| Secret(it.to_owned())));
        let (url, lease) = (self.get(&PEER_URL, origin), self.get(&STORE_LEASE, lease));
        match address {
            Some(address) => Some(SharedStore { address, url, lease: lease.unwrap_or(LEASE) }),
            None if url.is_some() || lease.is_some() => self.say("peer_url and store_lease need store"),
            None => None,
        }
    }
}
