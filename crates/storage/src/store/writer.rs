//! The writer: the one thread that runs transactions, commits them in groups, and publishes snapshots.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    thread,
    time::Instant,
    vec,
};

use arc_swap::ArcSwap;
use atoll_values::{Timestamp, ids_after, latest_id_at, limits::TRANSACTION_BYTES_MAX};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Shared, Store, StoreOptions,
    job::Job,
    term::{Term, Terms},
};
use crate::{
    AppendError, Chain, Changes, CommitLog, Engine, Entry, Halt, Meter, Position, STORE_FORMAT, Space,
    Standing, StoreError, View, WriterCounters, checksum,
    engine::size,
    format,
    made::Made,
    overlay::{Layer, Transaction},
    regions::Regions,
    space::Directory,
};

/// Bytes of a batch in a log after which the others wait for the next one.
const BATCH_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// What the writer is asked to do.
pub(super) enum Work {
    /// Run a transaction.
    Transact(Box<dyn Job>),
    /// Apply entries of the log.
    Apply(Vec<Entry>, Reply),
    /// Lead by this log.
    Lead(Box<dyn CommitLog>, Reply),
    /// Open this term.
    Open(Option<Term>, Reply),
    /// Follow.
    Follow(Reply),
    /// Make durable what was applied.
    Flush,
    /// End.
    Close,
}

type Reply = oneshot::Sender<Result<View, StoreError>>;

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
    /// The error of the engine, after which the writer ends, of a commit that is in the log.
    failed: Option<StoreError>,
    /// See [`Store::not_before`].
    not_before: Arc<AtomicI64>,
    published: Arc<ArcSwap<View>>,
    regions: Arc<Regions>,
    report: watch::Sender<Option<StoreError>>,
    commits: watch::Sender<Position>,
    standing: watch::Sender<Standing>,
    terms: Arc<Terms>,
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
        // A host alone may have its store from several.
        ids_after(made.id_at);
        Ok(Writer {
            engine,
            spaces: spaces.to_vec(),
            log: None,
            chain,
            made,
            failed: None,
            not_before: Arc::new(AtomicI64::new(made.at.millis())),
            commits: watch::Sender::new(view.position()),
            published: Arc::new(ArcSwap::from_pointee(view)),
            regions: Arc::default(),
            report: watch::Sender::new(None),
            standing: watch::Sender::new(standing),
            terms: Arc::default(),
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
            terms: self.terms.clone(),
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
                Work::Apply(entries, reply) => self.answer(reply, |it| it.apply(&entries)),
                Work::Lead(log, reply) => self.answer(reply, |it| it.lead(log)),
                Work::Open(term, reply) => self.answer(reply, |it| it.open(term)),
                Work::Follow(reply) => self.answer(reply, |it| Ok(it.follow())),
                Work::Flush => self.engine.flush(),
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

    /// Runs and commits what was waiting, and answers the callers. Error: the engine has failed.
    fn transact(&mut self, waiting: Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        let mut waiting = waiting.into_iter();
        while waiting.len() > 0 {
            let mut batch = Vec::with_capacity(waiting.len());
            let done = self.run_batch(&mut waiting, &mut batch);
            let told = match failure(&done) {
                Err(error) => Err(StoreError::Stopped(error.to_string())),
                Ok(()) => done.clone(),
            };
            batch.into_iter().for_each(|job| job.settle(told.clone()));
            if let Err(error) = self.failed.take().map_or_else(|| failure(&done), Err) {
                let stopped = StoreError::Stopped(error.to_string());
                waiting.for_each(|job| job.settle(Err(stopped.clone())));
                return Err(error);
            }
        }
        Ok(())
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

    /// Group commit: runs the bodies of what is waiting one after the other, each over the changes of those
    /// before it, and commits them together. Those that ran are in `batch` then.
    fn run_batch(
        &mut self,
        waiting: &mut vec::IntoIter<Box<dyn Job>>,
        batch: &mut Vec<Box<dyn Job>>,
    ) -> Result<View, StoreError> {
        if !self.standing.borrow().writes() {
            batch.extend(waiting);
            return Err(follows());
        }
        let view = self.published.load_full();
        let meter = Arc::new(Meter::new(u64::MAX));
        let metered = (*view).clone().metered(&meter);
        let mut changes = Changes::new();
        let (mut at, mut n_bytes) = (Timestamp::MIN, 0);
        while n_bytes < BATCH_BYTES_MAX
            && let Some(mut job) = waiting.next()
        {
            let (begun, n_before) = (Instant::now(), meter.n_read());
            let below = Layer::new(&metered, &changes);
            let mut tx = Transaction::new(&below);
            if job.run(&mut tx, changes.is_empty()) {
                let own = tx.into_changes();
                // An entry of a log is sent as a whole, and held in memory by every host.
                let n_own = if self.log.is_some() { size(&own) } else { 0 };
                if n_own > TRANSACTION_BYTES_MAX {
                    job.refuse(StoreError::Halted(Halt::Written(TRANSACTION_BYTES_MAX)));
                } else {
                    n_bytes += n_own;
                    at = at.max(job.at());
                    if changes.is_empty() {
                        changes = own;
                    } else {
                        // One by one: `append` would rebuild the whole batch for each of its jobs.
                        changes.extend(own);
                    }
                }
            }
            batch.push(job);
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
        let entry = Entry::new(self.chain, position, &changes);
        if let Err(error) = log.append(&entry) {
            let is_deposed = !matches!(error, AppendError::Failed(_));
            tracing::warn!(%error, %position, is_deposed, "a commit is not known to be in the log");
            if is_deposed {
                self.follow();
            }
            return Err(error.into());
        }
        self.made = made;
        changes.extend([entry.chain.entry()]);
        self.replicate(begun, position, entry.chain, &changes).map_err(|error| {
            let told = format!("it is in the log, and this host ends, since it cannot apply it: {error}");
            self.failed = Some(error);
            StoreError::Unknown(told)
        })
    }

    /// See [`Store::apply`].
    fn apply(&mut self, entries: &[Entry]) -> Result<View, StoreError> {
        let begun = Instant::now();
        let (mut position, mut chain) = (self.published.load().position(), self.chain);
        for entry in entries {
            let is_next = entry.position == position.next() && entry.before == chain;
            if self.standing.borrow().writes() || !is_next {
                return Err(StoreError::Diverged { position: entry.position });
            }
            (position, chain) = (entry.position, entry.chain);
        }
        let Some(changes) = Entry::merge(entries)? else { return Ok(self.view()) };
        let view = self.replicate(begun, position, chain, &changes)?;
        self.made = view.made()?;
        Ok(view)
    }

    /// See [`Store::lead`].
    fn lead(&mut self, log: Box<dyn CommitLog>) -> Result<View, StoreError> {
        self.log = Some(log);
        self.terms.begin();
        self.not_before.store(self.made.at.millis(), Ordering::Relaxed);
        ids_after(self.made.id_at);
        self.standing.send_replace(Standing::Prepares);
        let registered = self.register_spaces();
        if registered.is_err() {
            self.follow();
        }
        registered
    }

    /// See [`Store::open_term`].
    fn open(&mut self, term: Option<Term>) -> Result<View, StoreError> {
        if !self.standing.borrow().writes() {
            return Err(follows());
        }
        self.terms.check(term)?;
        self.terms.open();
        self.standing.send_if_modified(|it| {
            let prepares = *it == Standing::Prepares;
            if prepares {
                *it = Standing::Leads;
            }
            prepares
        });
        Ok(self.view())
    }

    /// See [`Store::follow`].
    fn follow(&mut self) -> View {
        self.log = None;
        self.standing.send_replace(Standing::Follows);
        self.view()
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

    /// Brings what is in the log, up to this commit, into the replica at once, and publishes it. A crash may
    /// lose it there: the log has it.
    fn replicate(
        &mut self,
        begun: Instant,
        position: Position,
        chain: Chain,
        changes: &Changes,
    ) -> Result<View, StoreError> {
        self.engine.apply(changes)?;
        self.chain = chain;
        self.publish(begun, position, changes)
    }

    fn view(&self) -> View {
        self.published.load().as_ref().clone()
    }

    /// Publishes what the engine holds now: the commit at this position, with these changes.
    fn publish(&self, begun: Instant, position: Position, changes: &Changes) -> Result<View, StoreError> {
        self.counters.count_commit(begun, changes);
        let raw = self.engine.snapshot()?;
        let is_new_format = format::is_changed_by(changes);
        let is_new_directory = is_new_format || Directory::is_changed_by(changes);
        let view = match (is_new_format, is_new_directory) {
            // A newer program leads: this one may not be able to read it.
            (true, _) => View::bare(raw)?.with_spaces(&self.spaces)?,
            (_, true) => self.published.load().after(raw, position).with_spaces(&self.spaces)?,
            _ => self.published.load().after(raw, position),
        };
        self.counters.held.published(view.raw());
        // Where a space has its prefix now, nobody has read it by that one.
        let number = if is_new_directory { self.regions.raise_all() } else { self.regions.raise(changes) };
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
            Work::Apply(_, reply) | Work::Lead(_, reply) | Work::Open(_, reply) | Work::Follow(reply) => {
                drop(reply.send(Err(end.clone())))
            }
            Work::Flush | Work::Close => {}
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

fn follows() -> StoreError {
    StoreError::NotWritten("this host follows another one".into())
}
