//! The hosts that share a shop (cluster), as this one sees them: who leads, how far the log goes, what is
//! wrong.

#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "a host alone always leads"))]
mod candidacy;
mod condition;
mod leadership;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(not(feature = "postgres"))]
#[path = "no_postgres.rs"]
mod postgres;
mod task;
#[cfg(test)]
mod tests;

use std::time::Duration;

use anyhow::{anyhow, bail};
use atoll_flows::user::NewUser;
use atoll_kernel::{Ctx, http::Peers, registry::Secret};
use atoll_storage::{Leader, Position, Seen, Standing, Store};
use tokio::sync::watch;

use crate::secrets::Given;
use candidacy::Candidacy;
use leadership::prepare_term;
use postgres::{Latest, peers};
use task::Task;

pub(crate) use self::{
    leadership::{Leadership, prepare},
    postgres::{check_address, join, move_in, move_out},
};

/// How long a leader may be silent, unless it is set: shorter ones take a pause of the host or the network
/// for its end.
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

    /// The way to the other hosts; none of a host alone.
    pub(crate) fn peers(&self) -> Option<Box<dyn Peers>> {
        self.latest.as_ref().map(peers)
    }

    /// The last commit of all hosts, at a moment after this was called. Errors: PostgreSQL does not answer.
    pub async fn head(&self) -> Result<Position, String> {
        match &self.latest {
            Some(latest) => latest.position().await,
            None => Ok(self.store.view().position()),
        }
    }
}

/// What a command is told that writes where another host leads.
pub(crate) fn led_by(url: &str) -> String {
    format!(
        "the shop is led by the host at {url}, which alone writes: do this there, by its pages or its API"
    )
}

/// This host among those that share a store: it follows, and leads when it comes to it. A term that it leads
/// is to be prepared.
pub struct Membership {
    task: Task<anyhow::Result<()>>,
    candidacy: Candidacy,
    given: Given,
}

impl Membership {
    pub(crate) fn candidacy(&self) -> &Candidacy {
        &self.candidacy
    }

    /// The secrets that this host is given, which are the shop's when it leads.
    pub(crate) fn given(&self) -> &Given {
        &self.given
    }

    /// Resolves when this host takes part no more, though it was not told to leave.
    pub(crate) async fn lost(&mut self) -> anyhow::Error {
        match self.task.ended().await {
            Some(Err(error)) => error,
            _ => anyhow!("this host takes part no more"),
        }
    }

    /// Waits until this host leads, for a command that writes. Errors: another one leads.
    pub(crate) async fn lead(
        &mut self,
        ctx: &Ctx,
        cluster: &Cluster,
        admin: Option<&NewUser>,
    ) -> anyhow::Result<()> {
        let (mut standing, mut seen) = (ctx.store().standing(), cluster.seen());
        tokio::select! {
            prepares = standing.wait_for(|it| *it == Standing::Prepares) => drop(prepares?),
            another = seen.wait_for(|it| matches!(it.leader, Leader::At(_))) => {
                if let Leader::At(url) = &another?.leader {
                    bail!("{}; or stop all hosts and try again", led_by(url));
                }
            }
            error = self.lost() => return Err(error),
        }
        let ctx = ctx.to_prepare();
        prepare_term(&ctx, &self.given, admin).await?;
        ctx.store().open_term().await?;
        Ok(())
    }

    /// Gives the leadership back, if this host leads.
    pub(crate) async fn leave(self) {
        self.task.stop().await;
    }
}
