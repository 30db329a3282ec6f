//! A host among those that share a log: it follows who leads, and leads when nobody does.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use atoll_storage::{Leader, Seen, Standing, Store, Trouble, View};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tokio_postgres::Client;

use crate::{
    Database, DatabaseError,
    append::Appender,
    database::within,
    fold::{LOG_BYTES_KEPT, folding},
    head::Head,
    log::{CHANNEL, catch_up},
};

/// The part of the lease by which a host stops earlier than others take over: clocks of two hosts do not run
/// equally fast.
const MARGIN_PART: u32 = 10;

/// By how much the clock of a host that leads may be ahead of that of PostgreSQL, to which its question and
/// answer belong, too. What it commits is never earlier than what was committed before, so a clock that is
/// years ahead would stop the time of the shop.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// A host.
pub struct Member {
    database: Database,
    store: Store,
    /// Where other hosts reach this one.
    url: String,
    /// How long a leader may be silent.
    lease: Duration,
    n_log_kept: u64,
    /// Its term, from when it has taken over until another host has.
    term: Option<String>,
    seen: watch::Sender<Seen>,
    /// Is its clock ahead?
    is_ahead: bool,
    /// The last sign of a leader at the address of this host, which leads in no term of its own.
    twin: Option<String>,
}

impl Member {
    /// A host with this replica. `url` is where others reach it, `lease` how long one that leads may be
    /// silent.
    pub fn new(database: Database, store: Store, url: String, lease: Duration) -> Member {
        let seen = watch::Sender::default();
        Member {
            database,
            store,
            url,
            lease,
            n_log_kept: LOG_BYTES_KEPT,
            term: None,
            seen,
            is_ahead: false,
            twin: None,
        }
    }

    /// Keeps so many bytes of the log for hosts that come back, in place of 256 MiB.
    #[must_use]
    pub fn keeping(self, n_log_kept: u64) -> Member {
        Member { n_log_kept, ..self }
    }

    /// What it knows of the others.
    pub fn seen(&self) -> watch::Sender<Seen> {
        self.seen.clone()
    }

    /// Follows and leads, until it is stopped; then another host may lead at once. `may_lead` says whether
    /// this host may, given the data: it is asked before it takes over, and again when it has all that the
    /// last leader wrote. One that leads and [follows](Store::follow) is asked, too, and gives the leadership
    /// back where the answer is no. Errors: the replica is of no use any more, or its store has stopped. A
    /// host that starts anew goes on.
    pub async fn run(
        mut self,
        may_lead: impl Fn(&View) -> bool + Sync,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(), DatabaseError> {
        let ended = loop {
            let error = tokio::select! {
                Err(error) = self.take_part(&may_lead) => error,
                _ = stopped.wait_for(|it| *it) => break Ok(()),
            };
            if error.is_for_good() {
                self.seen.send_modify(|it| it.trouble = Some(Trouble::Lost(error.to_string())));
                break Err(error);
            }
            tracing::warn!(%error, "this host has lost PostgreSQL, and tries again");
            let is_alone = self.seen.borrow().until.is_some_and(|it| Instant::now() < it);
            self.seen.send_modify(|it| {
                it.leader = it.led_by();
                it.until = it.until.filter(|_| is_alone);
                it.trouble = Some(Trouble::Away(error.to_string()));
            });
            // Another one may lead by now, and do what is done once.
            if self.leads()
                && !is_alone
                && let Err(error) = self.store.follow().await
            {
                break Err(error.into());
            }
            tokio::select! {
                () = sleep(self.lease / 10) => {}
                _ = stopped.wait_for(|it| *it) => break Ok(()),
            }
        };
        if let Err(error) = self.leave().await {
            tracing::warn!(%error, "the leadership was not given back; another host leads after the lease");
        }
        ended
    }

    /// Does this host lead, or prepare its term?
    fn leads(&self) -> bool {
        self.store.standing().borrow().writes()
    }

    /// How long PostgreSQL may take for an answer: no longer than this host knows to be alone, if it leads.
    fn patience(&self) -> Duration {
        let until = self.seen.borrow().until;
        until.map_or(self.lease, |it| it.saturating_duration_since(Instant::now()))
    }

    /// Takes part until the connection fails.
    async fn take_part(&mut self, may_lead: &impl Fn(&View) -> bool) -> Result<Infallible, DatabaseError> {
        let news = Arc::new(Notify::new());
        let client = within(self.patience(), self.database.join(news.clone())).await?;
        within(self.patience(), client.batch_execute(&format!("LISTEN {CHANNEL}"))).await?;
        let (mut standing, mut folding_here) = (self.store.standing(), None);
        loop {
            let pause = if standing.borrow_and_update().writes() {
                if !self.beat(&client).await? {
                    self.store.follow().await?;
                    continue;
                }
                let begin = || folding(&self.database, &self.store, self.n_log_kept);
                folding_here.get_or_insert_with(begin);
                self.patience() / 3
            } else {
                folding_here = None;
                if self.follow(&client, may_lead).await? {
                    continue;
                }
                self.lease / 4
            };
            let position = self.store.view().position();
            tokio::select! {
                () = sleep(pause) => if self.store.view().position() == position {
                    self.store.flush();
                },
                () = news.notified(), if !self.leads() => {}
                _ = standing.changed() => {}
            }
        }
    }

    /// Extends the lease, from when this is asked: others wait for longer until they take over. False:
    /// another host leads.
    async fn beat(&mut self, client: &Client) -> Result<bool, DatabaseError> {
        let Some(term) = &self.term else { return Ok(false) };
        let asked_at = Instant::now();
        let head = within(self.patience(), Head::beat(client, term)).await?;
        match &head {
            Some(head) => {
                // Others are sent here when its term is open.
                let is_open = *self.store.standing().borrow() == Standing::Leads;
                let leader = if is_open { Leader::Here } else { Leader::Nobody };
                self.see(head, leader, Some(asked_at + self.lease - self.lease / MARGIN_PART), None);
            }
            None => {
                self.term = None;
                self.seen.send_modify(|it| (it.leader, it.until) = (Leader::Nobody, None));
            }
        }
        Ok(head.is_some())
    }

    /// Applies what is new, and takes over if nobody leads and this host may. Returns whether it leads.
    async fn follow(
        &mut self,
        client: &Client,
        may_lead: &impl Fn(&View) -> bool,
    ) -> Result<bool, DatabaseError> {
        let head = within(self.lease, Head::read(client)).await?;
        if head.term != self.term {
            self.term = None;
        }
        let is_led = self.term.is_none() && head.is_led;
        let leader = match &head.url {
            // That at its own address was this host, before it was started anew.
            url if is_led && *url != self.url => Leader::At(url.clone()),
            _ => Leader::Nobody,
        };
        let trouble = self.has_twin(&head, is_led).then(|| Trouble::SameAddress(self.url.clone()));
        self.see(&head, leader, None, trouble);
        let view = catch_up(client, &self.store, &head).await?;
        self.seen.send_if_modified(|it| it.behind_since.take().is_some());
        if is_led {
            return Ok(false);
        }
        if !self.has_the_time(&head) || !may_lead(&view) {
            self.resign(client).await?;
            return Ok(false);
        }
        let taken = match &self.term {
            Some(term) => within(self.lease, Head::raise(client, term)).await?,
            None => within(self.lease, Head::take_over(client, &self.url, head.epoch, self.lease)).await?,
        };
        let Some(head) = taken else { return Ok(false) };
        self.term.clone_from(&head.term);
        let view = catch_up(client, &self.store, &head).await?;
        if !may_lead(&view) {
            self.resign(client).await?;
            return Ok(false);
        }
        let term = head.term.clone().unwrap_or_default();
        let log = within(self.lease, Appender::open(&self.database, term, head.epoch, self.lease)).await?;
        tracing::info!(epoch = head.epoch, position = %head.position, "this host takes over");
        self.store.lead(Box::new(log)).await?;
        Ok(true)
    }

    /// Whether another host leads that has the address of this one, so that neither is reached for sure: what
    /// this host was before it was started anew gives no sign any more.
    fn has_twin(&mut self, head: &Head, is_led: bool) -> bool {
        let seen = Some(head.beat.clone()).filter(|_| is_led && head.url == self.url);
        let last = std::mem::replace(&mut self.twin, seen);
        let goes_on = last.is_some() && self.twin.is_some() && last != self.twin;
        let is_known = matches!(self.seen.borrow().trouble, Some(Trouble::SameAddress(_)));
        if goes_on && !is_known {
            tracing::error!(url = self.url, "another host has the same `peer_url` as this one, and leads");
        }
        // Between two signs of it.
        goes_on || is_known && self.twin.is_some()
    }

    fn see(&self, head: &Head, leader: Leader, until: Option<Instant>, trouble: Option<Trouble>) {
        let Head { position, folded, epoch, .. } = *head;
        let now = Instant::now();
        let is_behind = position > self.store.view().position();
        let behind_since = is_behind.then(|| self.seen.borrow().behind_since.unwrap_or(now));
        let heard_at = Some(now);
        self.seen.send_replace(Seen {
            leader,
            until,
            position,
            folded,
            behind_since,
            epoch,
            heard_at,
            trouble,
        });
    }

    /// Whether the clock of this host may give the shop its time, which never goes back.
    fn has_the_time(&mut self, head: &Head) -> bool {
        let is_ahead = head.is_ahead_by > AHEAD_MAX;
        if is_ahead && !self.is_ahead {
            let ahead_s = head.is_ahead_by.as_secs();
            tracing::error!(ahead_s, "this host does not lead: its clock is ahead of that of PostgreSQL");
        }
        self.is_ahead = is_ahead;
        !is_ahead
    }

    /// Leads no more, and gives the leadership back.
    async fn leave(&mut self) -> Result<(), DatabaseError> {
        if self.term.is_none() {
            return Ok(());
        }
        // It may be about to lead only now. A store that has stopped follows nobody.
        drop(self.store.follow().await);
        self.seen.send_modify(|it| it.leader = Leader::Nobody);
        let client = within(self.lease, self.database.connect(Arc::default())).await?;
        self.resign(&client).await
    }

    /// Gives the leadership back, if this host has it.
    async fn resign(&mut self, client: &Client) -> Result<(), DatabaseError> {
        match self.term.take() {
            Some(term) => within(self.lease, Head::resign(client, &term)).await,
            None => Ok(()),
        }
    }
}
