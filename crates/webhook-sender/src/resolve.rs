//! Resolving names: each address of a name is checked, and the connection is made to one of those that were
//! checked, so that a name which changes its mind (DNS rebinding) gains nothing.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use atoll_providers::Reach;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The addresses of a name.
pub(crate) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name.
pub(crate) trait LookUp: Send + Sync + 'static {
    fn look_up(&self, name: String) -> Found;
}

/// As the system does: by its `hosts` file and its name servers.
pub(crate) struct System;

impl LookUp for System {
    fn look_up(&self, name: String) -> Found {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|it| it.ip()).collect()) })
    }
}

/// Resolves names to addresses that may be reached. One that may not refuses the name as a whole: who mixes
/// them is up to something.
pub(crate) struct Checked<L> {
    pub(crate) look_up: Arc<L>,
    pub(crate) reach: Reach,
}

impl<L: LookUp> Resolve for Checked<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, reach) = (self.look_up.look_up(name.as_str().to_owned()), self.reach.clone());
        Box::pin(async move {
            let addresses = found.await?;
            addresses.iter().try_for_each(|it| reach.check_address(*it))?;
            // The port is that of the address.
            let addresses = addresses.into_iter().map(|it| SocketAddr::new(it, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
