//! The store: one writer thread with group commit, a queue with back-pressure, and published snapshots.

mod job;
mod term;
mod writer;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    thread,
};

use arc_swap::ArcSwap;
use atoll_values::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

use self::{
    job::QueuedCommit,
    term::{Term, Terms},
    writer::{Work, Writer},
};
use crate::{
    CommitLog, Engine, Entry, Position, Recorder, Space, Standing, StoreError, View, Write, WriterCounters,
    format::{self, Checksums},
    regions::Regions,
};

/// Options of the writer.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Length of the writer's queue, in transactions; further callers wait. Large enough that a batch is
    /// never short of work, small enough that a stall causes back-pressure and not memory growth.
    pub n_waiting_max: usize,
    /// Transactions per group commit. A caller waits for all bodies of its batch, so it has a limit; at 256
    /// the cost of the commit is already below a hundredth per transaction.
    pub n_batch_max: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions { n_waiting_max: 1024, n_batch_max: 256 }
    }
}

/// A handle to the database. Clones share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    /// The term that this handle writes in; each, once it is open, if none.
    term: Option<Term>,
}

struct Shared {
    published: Arc<ArcSwap<View>>,
    regions: Arc<Regions>,
    queue: mpsc::Sender<Work>,
    stopped: watch::Receiver<Option<StoreError>>,
    commits: watch::Receiver<Position>,
    standing: watch::Receiver<Standing>,
    terms: Arc<Terms>,
    not_before: Arc<AtomicI64>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    closing: watch::Sender<bool>,
    counters: Arc<WriterCounters>,
}

impl Store {
    /// Opens the engine, registers the spaces of the program, and starts the writer.
    pub fn open(engine: impl Engine, spaces: &[Space]) -> Result<Self, StoreError> {
        Self::open_with(engine, spaces, StoreOptions::default())
    }

    /// As `open`, with options.
    pub fn open_with(
        mut engine: impl Engine,
        spaces: &[Space],
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        if let Checksums::UpTo(last) = Checksums::of(&*engine.snapshot()?)? {
            format::add_checksums(&mut engine, &last)?;
        }
        let mut writer = Writer::new(engine, spaces, Standing::Alone, options)?;
        writer.register_spaces()?;
        writer.start(options)
    }

    /// Opens the engine as the replica of a store whose commits are in a log. Nothing is written but what the
    /// log holds ([`Store::apply`]), until this host [leads](Store::lead).
    pub fn open_replica(
        engine: impl Engine,
        spaces: &[Space],
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        Writer::new(engine, spaces, Standing::Follows, options)?.start(options)
    }

    /// Applies commits from the log, the next one first, and returns a view of the last. They are published
    /// at once. Errors: they are not those that follow, so that this replica is none of the log any more;
    /// this host has not [followed](Store::follow) yet.
    pub async fn apply(&self, entries: Vec<Entry>) -> Result<View, StoreError> {
        self.ask(|reply| Work::Apply(entries, reply)).await
    }

    /// Leads from now on, by this log, whose last entry must have been applied. The spaces of the program are
    /// registered by a first commit, if some are new. This term is to be [prepared](Store::to_prepare) and
    /// [opened](Store::open_term): until then no other handle writes.
    pub async fn lead(&self, log: Box<dyn CommitLog>) -> Result<View, StoreError> {
        self.ask(|reply| Work::Lead(log, reply)).await
    }

    /// Opens the term that this handle [prepares](Store::to_prepare) to all who write. Errors: it has ended.
    pub async fn open_term(&self) -> Result<View, StoreError> {
        self.ask(|reply| Work::Open(self.term, reply)).await
    }

    /// Follows from now on. What was queued before it is still committed, if the log takes it.
    pub async fn follow(&self) -> Result<View, StoreError> {
        self.ask(Work::Follow).await
    }

    /// Has a replica made durable that rests: otherwise later commits would. Does not wait for it, and an
    /// error ends the store, as that of a commit does.
    pub fn flush(&self) {
        // One whose queue is full does not rest.
        drop(self.shared.queue.try_send(Work::Flush));
    }

    /// Who runs the transactions. It changes to `Follows` when the log refuses a commit.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.shared.standing.clone()
    }

    /// A handle that writes nothing any more once this host leads anew: another one may have led in between,
    /// and gone on with what was begun here. A handle of an earlier term stays one of it.
    #[must_use]
    pub fn of_this_term(&self) -> Store {
        Store { term: self.term.or_else(|| Some(self.shared.terms.this(false))), ..self.clone() }
    }

    /// A handle of the term that has just begun, which writes before the term is open to others: for what is
    /// done before anything else may be, such as migrations.
    #[must_use]
    pub fn to_prepare(&self) -> Store {
        Store { term: Some(self.shared.terms.this(true)), ..self.clone() }
    }

    /// Has the [term](Store::of_this_term) of this handle ended, so that it writes nothing any more?
    pub fn is_over(&self) -> bool {
        let follows = *self.shared.standing.borrow() == Standing::Follows;
        self.term.is_some() && (follows || self.shared.terms.is_over(self.term))
    }

    /// Waits until the commit of this position is published, and returns a view of it or of a later one. The
    /// caller limits how long.
    pub async fn reached(&self, position: Position) -> Result<View, StoreError> {
        let reached = self.shared.commits.clone().wait_for(|it| *it >= position).await.is_ok();
        if reached { Ok(self.view()) } else { Err(self.stop_reason()) }
    }

    async fn ask(
        &self,
        work: impl FnOnce(oneshot::Sender<Result<View, StoreError>>) -> Work,
    ) -> Result<View, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue(work(reply)).await?;
        answer.await.unwrap_or_else(|_| Err(self.stop_reason()))
    }

    async fn queue(&self, work: Work) -> Result<(), StoreError> {
        if *self.shared.closing.borrow() || self.shared.queue.send(work).await.is_err() {
            return Err(self.stop_reason());
        }
        Ok(())
    }

    /// The snapshot of the last commit.
    pub fn view(&self) -> View {
        self.shared.published.load().as_ref().clone()
    }

    /// Records what a request depends on that begins now. Its views are [`recorded`](View::recorded) by it.
    pub fn recorder(&self) -> Arc<Recorder> {
        Arc::new(Recorder::new(&self.shared.regions))
    }

    /// Runs `body` as one transaction. See [`Store::commit`].
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(&mut dyn Write) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        Ok(self.commit(body).await?.0)
    }

    /// Runs `body` as one transaction, once, on the writer's thread. Returns its result and a view of the
    /// commit that holds it.
    ///
    /// `Ok` commits, together with other waiting transactions (group commit); the changes are durable when
    /// this returns. `Err` aborts.
    pub async fn commit<T, E, F>(&self, body: F) -> Result<(T, View), E>
    where
        F: FnOnce(&mut dyn Write) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.commit_at(Timestamp::MIN, body).await
    }

    /// As `commit`, of a transaction at this time, which is not before [`Store::not_before`]: no host that
    /// leads after this one makes any that are earlier.
    pub async fn commit_at<T, E, F>(&self, at: Timestamp, body: F) -> Result<(T, View), E>
    where
        F: FnOnce(&mut dyn Write) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (term, terms) = (self.term, self.shared.terms.clone());
        let body = move |tx: &mut dyn Write| {
            // It runs on the writer's thread, where terms begin.
            terms.check(term)?;
            body(tx)
        };
        self.queue(Work::Transact(Box::new(QueuedCommit::new(at, body, reply)))).await?;
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.stop_reason().into()),
        }
    }

    /// The time of the last transaction of the hosts that led before this one, which may have the store alone
    /// by now. Those of this one are not to be made earlier, whatever its clock says.
    pub fn not_before(&self) -> Timestamp {
        Timestamp::from_millis(self.shared.not_before.load(Ordering::Relaxed))
    }

    /// The position of the last commit, for tasks that wait for the next one.
    pub fn commits(&self) -> watch::Receiver<Position> {
        self.shared.commits.clone()
    }

    /// Counters of the writer.
    pub fn counters(&self) -> &WriterCounters {
        &self.shared.counters
    }

    /// Are writes refused, because a commit failed or the store was closed?
    pub fn has_stopped(&self) -> bool {
        self.shared.stopped.borrow().is_some() || *self.shared.closing.borrow()
    }

    /// Resolves when a commit has failed. The process must end then, since no further write can be
    /// acknowledged.
    pub async fn stopped(&self) -> StoreError {
        let mut stopped = self.shared.stopped.clone();
        match stopped.wait_for(Option::is_some).await {
            Ok(error) => error.clone().expect("waited for it"),
            // The writer ended without a failure: the store was closed, which is no reason to exit.
            Err(_) => std::future::pending().await,
        }
    }

    /// Refuses new transactions, commits the queued ones, and ends the writer.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
        let writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // The writer ends after the work that was queued before it.
            let queue = self.shared.queue.clone();
            let _ = thread::spawn(move || queue.blocking_send(Work::Close)).join();
            let _ = writer.join();
        }
    }

    fn stop_reason(&self) -> StoreError {
        match &*self.shared.stopped.borrow() {
            Some(error) => error.clone(),
            None => StoreError::Stopped("it was closed".into()),
        }
    }
}
