//! The store: one writer thread with group commit, a queue with back-pressure, and published snapshots.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use arc_swap::ArcSwap;
use atoll_values::panic_message;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Changes, Engine, Meter, Position, Recorder, Space, StoreError, View, Write, WriterCounters, checksum,
    format::{self, Checksums, STORE_FORMAT},
    overlay::{Layer, Transaction},
    regions::Regions,
    space::Directory,
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
}

struct Shared {
    published: Arc<ArcSwap<View>>,
    regions: Arc<Regions>,
    queue: mpsc::Sender<Box<dyn Job>>,
    stopped: watch::Receiver<Option<StoreError>>,
    commits: watch::Receiver<u64>,
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
        let bare = View::bare(engine.snapshot()?)?;
        let is_older = bare.format()? < STORE_FORMAT;
        let (directory, mut changes) = Directory::open(&bare, spaces)?;
        let mut view = bare.with_directory(directory);
        if is_older {
            let (key, number) = format::current();
            changes.insert(key, Some(number));
        }
        if !changes.is_empty() {
            let position = commit(&mut engine, &mut changes, view.position())?;
            view = view.after(engine.snapshot()?, position);
        }
        let published = Arc::new(ArcSwap::from_pointee(view));
        let regions = Arc::new(Regions::default());
        let (queue, waiting) = mpsc::channel(options.n_waiting_max);
        let (report, stopped) = watch::channel(None);
        let (closing, _) = watch::channel(false);
        let (n_commits, commits) = watch::channel(0);
        let counters = Arc::new(WriterCounters::default());
        counters.held.published(published.load().raw());
        let writer = Writer {
            engine,
            published: published.clone(),
            regions: regions.clone(),
            report,
            n_commits,
            n_batch_max: options.n_batch_max,
            counters: counters.clone(),
        };
        let writer = thread::Builder::new()
            .name("atoll-writer".into())
            .spawn(move || writer.run(waiting))
            .map_err(|error| StoreError::Engine(format!("no writer thread: {error}")))?;
        let writer = Mutex::new(Some(writer));
        let shared = Shared { published, regions, queue, stopped, commits, writer, closing, counters };
        Ok(Store { shared: Arc::new(shared) })
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
        if *self.shared.closing.borrow() {
            return Err(self.stop_reason().into());
        }
        let (reply, answer) = oneshot::channel();
        let job = Box::new(QueuedCommit { body: Some(body), outcome: None, reply });
        if self.shared.queue.send(job).await.is_err() {
            return Err(self.stop_reason().into());
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.stop_reason().into()),
        }
    }

    /// A counter of commits, for tasks that wait for the next one.
    pub fn commits(&self) -> watch::Receiver<u64> {
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
            // This job is a sentinel: the writer exits after the batch that holds it.
            let queue = self.shared.queue.clone();
            let _ = thread::spawn(move || queue.blocking_send(Box::new(Shutdown))).join();
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

/// A job of the writer.
trait Job: Send {
    /// Runs the body. Returns whether its changes are to be committed.
    fn run(&mut self, tx: &mut dyn Write) -> bool;

    /// Answers the caller with the view of the commit, or its error.
    fn settle(self: Box<Self>, view: Result<View, StoreError>);

    /// Is this the last job?
    fn is_last(&self) -> bool {
        false
    }
}

struct QueuedCommit<F, T, E> {
    /// Taken when it runs.
    body: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<(T, View), E>>,
}

impl<F, T, E> Job for QueuedCommit<F, T, E>
where
    F: FnOnce(&mut dyn Write) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut dyn Write) -> bool {
        let Some(body) = self.body.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| body(tx)))
            .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_message(&*panic).to_owned()).into()));
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

struct Shutdown;

impl Job for Shutdown {
    fn run(&mut self, _: &mut dyn Write) -> bool {
        false
    }

    fn settle(self: Box<Self>, _: Result<View, StoreError>) {}

    fn is_last(&self) -> bool {
        true
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

struct Writer<N> {
    engine: N,
    published: Arc<ArcSwap<View>>,
    regions: Arc<Regions>,
    report: watch::Sender<Option<StoreError>>,
    n_commits: watch::Sender<u64>,
    n_batch_max: usize,
    counters: Arc<WriterCounters>,
}

impl<N: Engine> Writer<N> {
    fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        let _reporter = PanicReporter(self.report.clone());
        let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(self.n_batch_max);
        while let Some(first) = waiting.blocking_recv() {
            batch.push(first);
            while batch.len() < self.n_batch_max {
                let Ok(next) = waiting.try_recv() else { break };
                batch.push(next);
            }
            self.counters.count_batch(batch.len() + waiting.len(), batch.len());
            let last = batch.iter().any(|job| job.is_last());
            match self.commit(&mut batch) {
                Ok(view) => settle(&mut batch, &Ok(view)),
                Err(error) => {
                    let reason = StoreError::Stopped(error.to_string());
                    tracing::error!(%error, "a commit failed; the store takes no more writes");
                    self.report.send_replace(Some(reason.clone()));
                    waiting.close();
                    settle(&mut batch, &Err(reason.clone()));
                    while let Some(job) = waiting.blocking_recv() {
                        job.settle(Err(reason.clone()));
                    }
                    return;
                }
            }
            if last {
                waiting.close();
                while let Some(job) = waiting.blocking_recv() {
                    job.settle(Err(StoreError::Stopped("it was closed".into())));
                }
                return;
            }
        }
    }

    /// Group commit: runs the bodies one after the other, each over the changes of those before it, and
    /// commits them together.
    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<View, StoreError> {
        let view = self.published.load_full();
        let meter = Arc::new(Meter::new(u64::MAX));
        let metered = (*view).clone().metered(&meter);
        let mut changes = Changes::new();
        for job in batch {
            let (begun, n_before) = (Instant::now(), meter.n_read());
            let below = Layer::new(&metered, &changes);
            let mut tx = Transaction::new(&below);
            if job.run(&mut tx) {
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
        let begun = Instant::now();
        let position = commit(&mut self.engine, &mut changes, view.position())?;
        self.counters.count_commit(begun, &changes);
        let view = view.after(self.engine.snapshot()?, position);
        self.counters.held.published(view.raw());
        let number = self.regions.raise(&changes);
        self.published.store(Arc::new(view.clone()));
        self.regions.publish(number);
        self.n_commits.send_modify(|n| *n += 1);
        Ok(view)
    }
}

/// Adds the position and the checksums, and commits. Returns the position.
fn commit(engine: &mut impl Engine, changes: &mut Changes, before: Position) -> Result<Position, StoreError> {
    let position = before.next();
    changes.extend([position.entry()]);
    for (key, value) in changes.iter_mut() {
        if let Some(value) = value {
            checksum::append(key, value);
        }
    }
    engine.commit(changes)?;
    Ok(position)
}

fn settle(batch: &mut Vec<Box<dyn Job>>, view: &Result<View, StoreError>) {
    for job in batch.drain(..) {
        job.settle(view.clone());
    }
}
