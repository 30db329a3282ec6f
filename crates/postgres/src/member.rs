//! A host among those that share a log: it follows who leads, and leads when nobody does.

use std::{sync::Arc, time::Duration};

use atoll_storage::{Leader, Position, Seen, Standing, Store, StoreError, Trouble};
use tokio::sync::{Notify, watch};
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
    epoch: Arc<Epoch>,
    seen: watch::Sender<Seen>,
}

impl Member {
    /// A host with this replica. `url` is where others reach it.
    pub fn new(database: Database, store: Store, url: String, lease: Duration) -> Member {
        Member { database, store, url, lease, epoch: Arc::default(), seen: watch::Sender::default() }
    }

    /// What it knows of the others.
    pub fn seen(&self) -> watch::Sender<Seen> {
        self.seen.clone()
    }

    /// Follows and leads, until it is stopped; then another host may lead at once.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        loop {
            let stop = async { drop(stopped.wait_for(|it| *it).await) };
            let error = tokio::select! {
                Err(error) = self.take_part() => error,
                () = stop => break,
            };
            if matches!(error, DatabaseError::Store(StoreError::Diverged { .. })) {
                tracing::error!(%error, "PostgreSQL has lost commits that this host holds; it follows no more");
                self.seen.send_modify(|it| it.trouble = Some(Trouble::Diverged));
                return;
            }
            tracing::warn!(%error, "this host has lost PostgreSQL, and tries again");
            self.seen.send_modify(|it| it.trouble = Some(Trouble::Away(error.to_string())));
            tokio::select! {
                () = tokio::time::sleep(self.lease / 10) => {}
                _ = stopped.wait_for(|it| *it) => break,
            }
        }
        if let Err(error) = self.resign().await {
            tracing::warn!(%error, "the leadership was not given back; another host leads after the lease");
        }
    }

    /// Takes part until the connection fails.
    async fn take_part(&self) -> Result<(), DatabaseError> {
        let news = Arc::new(Notify::new());
        let mut client = self.within(self.database.connect(news.clone())).await?;
        self.within(Head::make(&client)).await?;
        self.within(async { Ok(client.batch_execute(&format!("LISTEN {CHANNEL}")).await?) }).await?;
        let mut standing = self.store.standing();
        loop {
            if *standing.borrow_and_update() == Standing::Leads {
                if self.within(self.beat(&client)).await? {
                    while self.within(fold(&mut client)).await? {}
                } else {
                    self.store.follow().await?;
                    continue;
                }
                tokio::select! {
                    () = tokio::time::sleep(self.lease / 3) => {}
                    _ = standing.changed() => {}
                }
            } else if !self.follow(&client).await? {
                tokio::select! {
                    () = news.notified() => {}
                    () = tokio::time::sleep(self.lease / 4) => {}
                }
            }
        }
    }

    /// Applies what is new, and takes over if nobody leads. Returns whether this host leads.
    async fn follow(&self, client: &Client) -> Result<bool, DatabaseError> {
        let head = self.within(Head::read(client)).await?;
        self.see(&head, if head.is_led { Leader::At(head.url.clone()) } else { Leader::Nobody });
        self.catch_up(client, head.position).await?;
        let taken = if head.epoch == self.epoch.get() && head.epoch > 0 {
            self.within(Head::raise(client, head.epoch)).await?
        } else {
            self.within(Head::take_over(client, &self.url, head.epoch, self.lease)).await?
        };
        let Some(head) = taken else { return Ok(false) };
        self.epoch.set(head.epoch);
        self.catch_up(client, head.position).await?;
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

    /// Applies the log up to this position.
    async fn catch_up(&self, client: &Client, to: Position) -> Result<(), DatabaseError> {
        let mut seen = self.store.view().position();
        if seen > to {
            return Err(StoreError::Diverged { position: to }.into());
        }
        while seen < to {
            let entries = self.within(entries_after(client, seen)).await?;
            if entries.is_empty() {
                return Err(StoreError::Diverged { position: seen.next() }.into());
            }
            seen = self.store.apply(entries).await?.position();
        }
        Ok(())
    }

    async fn resign(&self) -> Result<(), DatabaseError> {
        if *self.store.standing().borrow() != Standing::Leads {
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

    /// Waits for PostgreSQL for as long as the lease.
    async fn within<T>(
        &self,
        asked: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        tokio::time::timeout(self.lease, asked).await.unwrap_or(Err(DatabaseError::TimedOut))
    }
}
