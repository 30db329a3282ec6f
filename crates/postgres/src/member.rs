//! A host among those that share a log: it follows who leads, and leads when nobody does.

use std::{sync::Arc, time::Duration};

use atoll_storage::{Leader, Seen, Standing, Store, StoreError, Trouble};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_postgres::Client;

use crate::{
    Database, DatabaseError,
    append::{Appender, Epoch},
    fold::fold,
    head::{CHANNEL, Head, entries_after},
};

/// A host.
pub struct Member {
    database: Database,
    store: Store,
    /// Where other hosts reach this one.
    url: String,
    /// How long a leader may be silent.
    lease: Duration,
    /// May this host lead? One that leads and may not any more gives the leadership back.
    may_lead: watch::Receiver<bool>,
    epoch: Arc<Epoch>,
    /// When the lease was last extended.
    beaten: Instant,
    seen: watch::Sender<Seen>,
}

impl Member {
    /// A host with this replica. `url` is where others reach it, `lease` how long one that leads may be
    /// silent.
    pub fn new(
        database: Database,
        store: Store,
        url: String,
        lease: Duration,
        may_lead: watch::Receiver<bool>,
    ) -> Member {
        let (epoch, beaten, seen) = (Arc::default(), Instant::now(), watch::Sender::default());
        Member { database, store, url, lease, may_lead, epoch, beaten, seen }
    }

    /// What it knows of the others.
    pub fn seen(&self) -> watch::Sender<Seen> {
        self.seen.clone()
    }

    /// Follows and leads, until it is stopped; then another host may lead at once. Errors: the replica is of
    /// no use any more, or its store has stopped. A host that starts anew goes on.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) -> Result<(), DatabaseError> {
        loop {
            let stop = async { drop(stopped.wait_for(|it| *it).await) };
            let error = tokio::select! {
                Err(error) = self.take_part() => error,
                () = stop => break,
            };
            if error.is_for_good() {
                self.seen.send_modify(|it| it.trouble = Some(Trouble::Lost(error.to_string())));
                return Err(error);
            }
            tracing::warn!(%error, "this host has lost PostgreSQL, and tries again");
            if self.leads() && self.beaten.elapsed() >= self.lease {
                // Another one may lead by now, and do what is done once.
                self.store.follow().await?;
            }
            let leads = self.leads();
            self.seen.send_modify(|it| {
                it.trouble = Some(Trouble::Away(error.to_string()));
                if !leads && it.leader == Leader::Here {
                    it.leader = Leader::Nobody;
                }
            });
            tokio::select! {
                () = tokio::time::sleep(self.lease / 10) => {}
                _ = stopped.wait_for(|it| *it) => break,
            }
        }
        if let Err(error) = self.resign().await {
            tracing::warn!(%error, "the leadership was not given back; another host leads after the lease");
        }
        Ok(())
    }

    fn leads(&self) -> bool {
        *self.store.standing().borrow() == Standing::Leads
    }

    /// Takes part until the connection fails.
    async fn take_part(&mut self) -> Result<(), DatabaseError> {
        let news = Arc::new(Notify::new());
        let mut client = self.within(self.database.connect(news.clone())).await?;
        self.within(Head::make(&client)).await?;
        self.within(async { Ok(client.batch_execute(&format!("LISTEN {CHANNEL}")).await?) }).await?;
        let (mut standing, mut may_lead) = (self.store.standing(), self.may_lead.clone());
        loop {
            let may = *may_lead.borrow_and_update();
            let pause = if *standing.borrow_and_update() == Standing::Leads {
                if !may {
                    self.resign().await?;
                    continue;
                }
                if !self.within(self.beat(&client)).await? {
                    self.store.follow().await?;
                    continue;
                }
                self.beaten = Instant::now();
                while self.within(fold(&mut client)).await? {}
                self.lease / 3
            } else if self.follow(&client, may).await? {
                continue;
            } else {
                self.lease / 4
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = news.notified(), if !self.leads() => {}
                _ = standing.changed() => {}
                _ = may_lead.changed() => {}
            }
        }
    }

    /// Applies what is new, and takes over if nobody leads and this host may. Returns whether it leads.
    async fn follow(&mut self, client: &Client, may_lead: bool) -> Result<bool, DatabaseError> {
        let head = self.within(Head::read(client)).await?;
        self.see(&head, if head.is_led { Leader::At(head.url.clone()) } else { Leader::Nobody });
        catch_up(client, &self.store, &head, self.lease).await?;
        if !may_lead {
            return Ok(false);
        }
        let taken = if head.epoch == self.epoch.get() && head.epoch > 0 {
            self.within(Head::raise(client, head.epoch)).await?
        } else {
            self.within(Head::take_over(client, &self.url, head.epoch, self.lease)).await?
        };
        let Some(head) = taken else { return Ok(false) };
        self.epoch.set(head.epoch);
        self.beaten = Instant::now();
        catch_up(client, &self.store, &head, self.lease).await?;
        let log = self.within(Appender::open(&self.database, self.epoch.clone(), self.lease)).await?;
        tracing::info!(epoch = head.epoch, position = %head.position, "this host leads");
        self.store.lead(Box::new(log)).await?;
        self.see(&head, Leader::Here);
        Ok(true)
    }

    fn see(&self, head: &Head, leader: Leader) {
        let Head { position, at_ms, .. } = *head;
        self.seen.send_replace(Seen { leader, position, at_ms, trouble: None });
    }

    /// Gives the leadership back, if this host leads.
    async fn resign(&self) -> Result<(), DatabaseError> {
        if !self.leads() {
            return Ok(());
        }
        self.store.follow().await?;
        let client = self.within(self.database.connect(Arc::default())).await?;
        self.within(Head::resign(&client, self.epoch.get())).await
    }

    /// Extends the lease. False: another host leads.
    async fn beat(&self, client: &Client) -> Result<bool, DatabaseError> {
        let _turn = self.epoch.turn.lock().await;
        Head::beat(client, self.epoch.get()).await
    }

    async fn within<T>(
        &self,
        asked: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        within(self.lease, asked).await
    }
}

/// Applies the log up to this head, or further. `patience` is how long PostgreSQL may take for an answer.
pub(crate) async fn catch_up(
    client: &Client,
    store: &Store,
    head: &Head,
    patience: Duration,
) -> Result<(), DatabaseError> {
    let mut view = store.view();
    let is_beyond = view.position() > head.position;
    if is_beyond || view.position() == head.position && view.chain()? != head.chain {
        return Err(StoreError::Diverged { position: head.position }.into());
    }
    while view.position() < head.position {
        let entries = within(patience, entries_after(client, view.position())).await?;
        if entries.first().is_none_or(|it| it.position > view.position().next()) {
            return Err(DatabaseError::TooOld);
        }
        view = store.apply(entries).await?;
    }
    Ok(())
}

/// Waits for PostgreSQL for so long.
async fn within<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, DatabaseError>>,
) -> Result<T, DatabaseError> {
    tokio::time::timeout(patience, asked).await.unwrap_or(Err(DatabaseError::TimedOut))
}
