//! The writer: the one thread that runs transactions, commits them in groups, and publishes snapshots.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use arc_swap::ArcSwap;
use atoll_values::{Timestamp, ids_after, latest_id_at};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Shared, Store, StoreOptions};
use crate::{
    Chain, Changes, CommitLog, Engine, Entry, Meter, Position, STORE_FORMAT, Space, Standing, StoreError,
    View, Write, WriterCounters, checksum, format,
    made::Made,
    overlay::{Layer, Transaction},
    regions::Regions,
    space::Directory,
};

/// What the writer is asked to do.
pub(super) enum Work {
    /// Run a transaction.
    Transact(Box<dyn Job>),
    /// Apply entries of the log.
    Apply(Vec<Entry>, Reply),
    /// Lead by this log.
    Lead(Box<dyn CommitLog>, Reply),
    /// Follow.
    Follow(Reply),
    /// End.
    Close,
}

type Reply = oneshot::Sender<Result<View, StoreError>>;

/// A transaction.
pub(super) trait Job: Send {
    /// The time of the transaction.
    fn at(&self) -> Timestamp;

    /// Runs the body. Returns whether its changes are to be committed.
    fn run(&mut self, tx: &mut dyn Write) -> bool;

    /// Answers the caller with the view of the commit, or its error.
    fn settle(self: Box<Self>, view: Result<View, StoreError>);
}

/// A body with its caller, who waits.
pub(super) struct QueuedCommit<F, T, E> {
    at: Timestamp,
    /// Taken when it runs.
    body: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<(T, View), E>>,
}

impl<F, T, E> QueuedCommit<F, T, E> {
    pub(super) fn new(at: Timestamp, body: F, reply: oneshot::Sender<Result<(T, View), E>>) -> Self {
        QueuedCommit { at, body: Some(body), outcome: None, reply }
    }
}

impl<F, T, E> Job for QueuedCommit<F, T, E>
where
    F: FnOnce(&mut dyn Write) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn at(&self) -> Timestamp {
        self.at
    }

    fn run(&mut self, tx: &mut dyn Write) -> bool {
        let Some(body) = self.body.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| body(tx)))
            .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_message(&*panic)).into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn settle(self: Box<Self>, view: Result<View, StoreError>) {
        let answer = match (self.outcome, view) {
            (Some(Ok(value)), Ok(view)) => Ok((value, view)),
            (Some(Err(error)), Ok(_)) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(_)) => Err(StoreError::Stopped("the transaction did not run".into()).into()),
        };
        // The caller may have been cancelled.
        let _ = self.reply.send(answer);
    }
}

/// Reports that the writer ended by a panic of the engine: no further write can be acknowledged.
struct PanicReporter(watch::Sender<Option<StoreError>>);

impl Drop for PanicReporter {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send_replace(Some(StoreError::Stopped("the writer panicked".into())));
        }
    }
}

/// The owner of the engine.
pub(super) struct Writer<N> {
    engine: N,
    spaces: Vec<Space>,
    /// The log, while this host leads.
    log: Option<Box<dyn CommitLog>>,
    /// The chain of the last commit; zeros without a log.
    chain: Chain,
    /// Until when commits and ids were made.
    made: Made,
    /// See [`Store::not_before`].
    not_before: Arc<AtomicI64>,
    published: Arc<ArcSwap<View>>,
    regions: Arc<Regions>,
    report: watch::Sender<Option<StoreError>>,
    commits: watch::Sender<Position>,
    standing: watch::Sender<Standing>,
    term: Arc<AtomicU64>,
    n_batch_max: usize,
    counters: Arc<WriterCounters>,
}

impl<N: Engine> Writer<N> {
    pub(super) fn new(
        engine: N,
        spaces: &[Space],
        standing: Standing,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let bare = View::bare(engine.snapshot()?)?;
        let (chain, made) = (bare.chain()?, bare.made()?);
        let view = bare.with_spaces(spaces)?;
        let counters = WriterCounters::default();
        counters.held.published(view.raw());
        Ok(Writer {
            engine,
            spaces: spaces.to_vec(),
            log: None,
            chain,
            made,
            not_before: Arc::new(AtomicI64::new(Timestamp::MIN.millis())),
            commits: watch::Sender::new(view.position()),
            published: Arc::new(ArcSwap::from_pointee(view)),
            regions: Arc::default(),
            report: watch::Sender::new(None),
            standing: watch::Sender::new(standing),
            term: Arc::default(),
            n_batch_max: options.n_batch_max,
            counters: Arc::new(counters),
        })
    }

    /// Starts the thread, and returns the store that hands it its work.
    pub(super) fn start(self, options: StoreOptions) -> Result<Store, StoreError> {
        let (queue, waiting) = mpsc::channel(options.n_waiting_max);
        let mut shared = Shared {
            published: self.published.clone(),
            regions: self.regions.clone(),
            queue,
            stopped: self.report.subscribe(),
            commits: self.commits.subscribe(),
            standing: self.standing.subscribe(),
            term: self.term.clone(),
            not_before: self.not_before.clone(),
            writer: Mutex::default(),
            closing: watch::Sender::new(false),
            counters: self.counters.clone(),
        };
        let thread = thread::Builder::new()
            .name("atoll-writer".into())
            .spawn(move || self.run(waiting))
            .map_err(|error| StoreError::Engine(format!("no writer thread: {error}")))?;
        shared.writer = Mutex::new(Some(thread));
        Ok(Store { shared: Arc::new(shared), term: None })
    }

    fn run(mut self, mut waiting: mpsc::Receiver<Work>) {
        let _reporter = PanicReporter(self.report.clone());
        let mut next = None;
        let end = loop {
            let Some(work) = next.take().or_else(|| waiting.blocking_recv()) else { return };
            let done = match work {
                Work::Transact(first) => {
                    let mut batch = Vec::with_capacity(self.n_batch_max);
                    batch.push(first);
                    while batch.len() < self.n_batch_max && next.is_none() {
                        match waiting.try_recv() {
                            Ok(Work::Transact(job)) => batch.push(job),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.counters.count_batch(batch.len() + waiting.len(), batch.len());
                    self.transact(batch)
                }
                Work::Apply(entries, reply) => self.answer(reply, |it| it.apply(entries)),
                Work::Lead(log, reply) => self.answer(reply, |it| it.lead(log)),
                Work::Follow(reply) => self.answer(reply, |it| Ok(it.follow())),
                Work::Close => break StoreError::Stopped("it was closed".into()),
            };
            if let Err(error) = done {
                tracing::error!(%error, "a commit failed; the store takes no more writes");
                let reason = StoreError::Stopped(error.to_string());
                self.report.send_replace(Some(reason.clone()));
                break reason;
            }
        };
        if let Err(error) = self.engine.flush() {
            tracing::error!(%error, "what was applied last is applied again at the next start");
        }
        waiting.close();
        let left = next.into_iter().chain(std::iter::from_fn(|| waiting.blocking_recv()));
        left.for_each(|work| work.refuse(&end));
    }

    /// Runs and commits a batch, and answers its callers. Error: the engine has failed.
    fn transact(&mut self, mut batch: Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let done = self.run_batch(&mut batch);
        let failed = failure(&done);
        for job in batch {
            let view = failed.clone().map_err(|error| StoreError::Stopped(error.to_string()));
            job.settle(view.and_then(|()| done.clone()));
        }
        failed
    }

    /// Answers a caller. Error: the engine has failed.
    fn answer(
        &mut self,
        reply: Reply,
        work: impl FnOnce(&mut Self) -> Result<View, StoreError>,
    ) -> Result<(), StoreError> {
        let done = work(self);
        let failed = failure(&done);
        // The caller may have been cancelled.
        let _ = reply.send(done);
        failed
    }

    /// Group commit: runs the bodies one after the other, each over the changes of those before it, and
    /// commits them together.
    fn run_batch(&mut self, batch: &mut [Box<dyn Job>]) -> Result<View, StoreError> {
        if !self.standing.borrow().writes() {
            return Err(StoreError::NotWritten("this host follows another one".into()));
        }
        let view = self.published.load_full();
        let meter = Arc::new(Meter::new(u64::MAX));
        let metered = (*view).clone().metered(&meter);
        let mut changes = Changes::new();
        let mut at = Timestamp::MIN;
        for job in batch {
            let (begun, n_before) = (Instant::now(), meter.n_read());
            let below = Layer::new(&metered, &changes);
            let mut tx = Transaction::new(&below);
            if job.run(&mut tx) {
                at = at.max(job.at());
                let own = tx.into_changes();
                if changes.is_empty() {
                    changes = own;
                } else {
                    // One by one: `append` would rebuild the whole batch for each of its jobs.
                    changes.extend(own);
                }
            }
            self.counters.count_body(begun, meter.n_read() - n_before);
        }
        if changes.is_empty() {
            return Ok((*view).clone());
        }
        self.commit(at, changes)
    }

    /// Adds the position and the checksums, commits, and publishes.
    fn commit(&mut self, at: Timestamp, mut changes: Changes) -> Result<View, StoreError> {
        let begun = Instant::now();
        let position = self.published.load().position().next();
        changes.extend([position.entry()]);
        let made = self.made.or_later(at, latest_id_at());
        if self.log.is_some() {
            changes.extend([made.entry()]);
        }
        for (key, value) in changes.iter_mut() {
            if let Some(value) = value {
                checksum::append(key, value);
            }
        }
        let Some(log) = &mut self.log else {
            self.engine.commit(&changes)?;
            return self.publish(begun, position, &changes);
        };
        let entry = Entry::new(self.chain, position, changes);
        if let Err(error) = log.append(&entry) {
            tracing::warn!(%error, %position, "a commit is not in the log; this host leads no more");
            self.follow();
            return Err(error.into());
        }
        self.made = made;
        self.replicate(begun, vec![entry])
    }

    /// See [`Store::apply`].
    fn apply(&mut self, entries: Vec<Entry>) -> Result<View, StoreError> {
        let begun = Instant::now();
        let (mut position, mut chain) = (self.published.load().position(), self.chain);
        for entry in &entries {
            if self.standing.borrow().writes() || !entry.is_after(position, chain) {
                return Err(StoreError::Diverged { position: entry.position });
            }
            (position, chain) = (entry.position, entry.chain);
        }
        let view = self.replicate(begun, entries)?;
        self.made = view.made()?;
        Ok(view)
    }

    /// See [`Store::lead`].
    fn lead(&mut self, log: Box<dyn CommitLog>) -> Result<View, StoreError> {
        self.log = Some(log);
        self.term.fetch_add(1, Ordering::Relaxed);
        self.not_before.store(self.made.at.millis(), Ordering::Relaxed);
        ids_after(self.made.id_at);
        self.standing.send_replace(Standing::Leads);
        self.register_spaces()
    }

    /// See [`Store::follow`].
    fn follow(&mut self) -> View {
        self.log = None;
        self.standing.send_replace(Standing::Follows);
        self.published.load().as_ref().clone()
    }

    /// Registers the spaces of the program that are new, and notes the format of the store.
    pub(super) fn register_spaces(&mut self) -> Result<View, StoreError> {
        let view = self.published.load_full();
        let mut changes = Directory::register(&*view, &self.spaces)?;
        if view.format()? < STORE_FORMAT {
            let (key, number) = format::current();
            changes.insert(key, Some(number));
        }
        if changes.is_empty() { Ok((*view).clone()) } else { self.commit(Timestamp::MIN, changes) }
    }

    /// Brings entries, which are in the log, into the replica at once, and publishes the last one. A crash
    /// may lose them there: the log has them.
    fn replicate(&mut self, begun: Instant, entries: Vec<Entry>) -> Result<View, StoreError> {
        let Some((position, chain, changes)) = Entry::merge(entries) else {
            return Ok(self.published.load().as_ref().clone());
        };
        self.engine.apply(&changes)?;
        self.chain = chain;
        self.publish(begun, position, &changes)
    }

    /// Publishes what the engine holds now: the commit at this position, with these changes.
    fn publish(&self, begun: Instant, position: Position, changes: &Changes) -> Result<View, StoreError> {
        self.counters.count_commit(begun, changes);
        let mut view = self.published.load().after(self.engine.snapshot()?, position);
        if Directory::is_changed_by(changes) {
            view = view.with_spaces(&self.spaces)?;
        }
        self.counters.held.published(view.raw());
        let number = self.regions.raise(changes);
        self.published.store(Arc::new(view.clone()));
        self.regions.publish(number);
        self.commits.send_replace(position);
        Ok(view)
    }
}

impl Work {
    /// Answers the caller, because the writer has ended.
    fn refuse(self, end: &StoreError) {
        match self {
            Work::Transact(job) => job.settle(Err(end.clone())),
            // The caller may have been cancelled.
            Work::Apply(_, reply) | Work::Lead(_, reply) | Work::Follow(reply) => {
                drop(reply.send(Err(end.clone())))
            }
            Work::Close => {}
        }
    }
}

/// The error after which the writer must end: one of the engine. After one of the log it follows.
fn failure(done: &Result<View, StoreError>) -> Result<(), StoreError> {
    match done {
        Err(error) if !error.is_of_log() => Err(error.clone()),
        _ => Ok(()),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
