//! Execution of read requests: inline up to a number of keys, then in a thread pool, up to their key budget.
//! So short requests are answered at once, and long ones share the processors. Where too many wait already,
//! they are refused late, one after the other (backpressure): most clients ask again at once.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
    time::Duration,
};

use atoll_storage::{Halt, Meter};

use atoll_http::Disconnect;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use crate::{
    Ctx, Fault, Timestamp,
    data::View,
    http::{Call, Reply, Route},
    limits::{
        KEYS_INLINE_BUSY_MAX, KEYS_INLINE_MAX, KEYS_MAX, READ_REFUSED_MS, READ_TIMEOUT, READS_REFUSED_MAX,
        READS_WAITING_MAX,
    },
    query::AnswerLimits,
};

/// The `Retry-After` of a request that was refused because the queue is full, in seconds.
const RETRY_AFTER_S: u64 = 2;

/// Limits of what one request may read and show, and of concurrent reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Keys that a request may read inline.
    pub keys_inline_max: u64,
    /// Upper bound of keys that a request reads.
    pub keys_max: u64,
    /// Threads of the pool.
    pub threads: usize,
    /// Upper bound of requests in the queue for a thread.
    pub waiting_max: usize,
    /// Upper bound of requests beyond that, which wait to be refused.
    pub refused_max: usize,
    /// As `keys_inline_max`, while as many wait to be refused.
    pub keys_inline_busy_max: u64,
    /// Time-out of waiting and reading together.
    pub timeout: Duration,
    /// Limits of the answer.
    pub answer: AnswerLimits,
}

impl Default for ReadLimits {
    fn default() -> Self {
        ReadLimits {
            keys_inline_max: KEYS_INLINE_MAX,
            keys_max: KEYS_MAX,
            threads: available_parallelism().map_or(1, |it| it.get().div_ceil(2)),
            waiting_max: READS_WAITING_MAX,
            refused_max: READS_REFUSED_MAX,
            keys_inline_busy_max: KEYS_INLINE_BUSY_MAX,
            timeout: READ_TIMEOUT,
            answer: AnswerLimits::default(),
        }
    }
}

/// The thread pool for long reads, and its queue.
pub(crate) struct Pool {
    threads: Arc<Semaphore>,
    /// A slot for each request that has a thread or waits for one.
    slots: Arc<Semaphore>,
    refusals: Refusals,
}

/// The requests that found no slot, and wait to be refused: so many at most, one after the other.
struct Refusals {
    slots: Semaphore,
    /// When the last of them is refused.
    last: Mutex<Timestamp>,
}

impl Refusals {
    /// Waits until it is this request's turn to be refused; not at all if too many wait already.
    async fn wait(&self, ctx: &Ctx) {
        let Ok(_slot) = self.slots.try_acquire() else { return };
        let now = ctx.now();
        let until = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let n_before = ctx.config().reads.refused_max - self.slots.available_permits();
            // Later than that only if the clock was set back.
            let latest = now.plus_millis(READ_REFUSED_MS * i64::try_from(n_before).unwrap_or(i64::MAX));
            *last = (*last).max(now).plus_millis(READ_REFUSED_MS).min(latest);
            *last
        };
        ctx.sleep_until(now, until).await;
    }
}

impl Pool {
    pub(crate) fn new(limits: &ReadLimits) -> Pool {
        Pool {
            threads: Arc::new(Semaphore::new(limits.threads)),
            slots: Arc::new(Semaphore::new(limits.threads + limits.waiting_max)),
            refusals: Refusals {
                slots: Semaphore::new(limits.refused_max),
                last: Mutex::new(Timestamp::default()),
            },
        }
    }

    /// Keys that a request may read inline now.
    fn keys_inline_max(&self, limits: &ReadLimits) -> u64 {
        match self.refusals.slots.available_permits() {
            0 => limits.keys_inline_max.min(limits.keys_inline_busy_max),
            _ => limits.keys_inline_max,
        }
    }

    /// A place in the queue; `None` if it is full.
    fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// Runs `work` in a thread of the pool; `meter` counts what it reads. Errors: 503 after the time-out.
    async fn run<T: Send + 'static>(
        &self,
        slot: OwnedSemaphorePermit,
        limits: &ReadLimits,
        meter: &Arc<Meter>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let deadline = Instant::now() + limits.timeout;
        let Ok(thread) = timeout_at(deadline, self.threads.clone().acquire_owned()).await else {
            return Err(Halt::TimedOut.into());
        };
        meter.restart(limits.keys_max);
        // A cancelled read keeps its thread until it notices, at the next key.
        let work = spawn_blocking(move || {
            let _held = (slot, thread);
            work()
        });
        match timeout_at(deadline, work).await {
            Ok(done) => done.map_err(Fault::unexpected),
            Err(_) => {
                meter.time_out();
                Err(Halt::TimedOut.into())
            }
        }
    }
}

fn full() -> Fault {
    Fault::busy("Too much is being read; try again soon", RETRY_AFTER_S).at_limit("reads_waiting_max")
}

/// Answers a request that only reads. A request beyond the inline budget starts again in the pool: the budget
/// is small, and a handler cannot be suspended in the middle.
pub(crate) async fn read(
    route: &'static Route,
    mut call: Call,
    mut disconnect: Disconnect,
) -> Result<Reply, Fault> {
    let ctx = call.app.clone();
    let limits = ctx.config().reads;
    let meter = Arc::new(Meter::new(ctx.pool().keys_inline_max(&limits)));
    let _counted = call.count_keys(&meter);
    call.app = ctx.reading(&meter);
    call.view = call.view.metered(&meter);
    let mut again = Some(call.clone());
    // A handler that waits for something goes on with the whole budget, and is not called again: a copy of
    // its call would hold the snapshot meanwhile.
    let waits = || {
        if meter.halted().is_none() {
            again = None;
            meter.restart(limits.keys_max);
        }
    };
    // It need not wait for nobody.
    let answer = tokio::select! {
        biased;
        answer = at_once(&ctx, (route.handler)(call), waits) => answer,
        () = &mut disconnect => return Err(Halt::Disconnected.into()),
    };
    let Some(again) = again else { return settled(answer, &meter) };
    if meter.halted().is_none() {
        return answer;
    }
    let Some(slot) = ctx.pool().slot() else {
        // With its snapshot, which would keep space meanwhile.
        drop(again);
        tokio::select! {
            () = ctx.pool().refusals.wait(&ctx) => {}
            () = disconnect => {}
        }
        return Err(full());
    };
    let runtime = Handle::current();
    let work = {
        let ctx = ctx.clone();
        move || runtime.block_on(at_once(&ctx, (route.handler)(again), || {}))
    };
    tokio::select! {
        answer = ctx.pool().run(slot, &limits, &meter, work) => settled(answer?, &meter),
        () = disconnect => {
            meter.disconnect();
            Err(Halt::Disconnected.into())
        }
    }
}

/// The result of a handler. If it waits for anything, that is not of the data: its answer is not remembered.
/// `waits` is called when it does so for the first time.
async fn at_once<T>(ctx: &Ctx, handler: impl Future<Output = T>, waits: impl FnOnce()) -> T {
    let (mut handler, mut waits) = (pin!(handler), Some(waits));
    poll_fn(|context| {
        let polled = handler.as_mut().poll(context);
        if polled.is_pending() {
            ctx.lose();
            if let Some(waits) = waits.take() {
                waits();
            }
        }
        polled
    })
    .await
}

/// A read that was halted is answered with the halt, whatever its handler returned.
fn settled<T>(answer: Result<T, Fault>, meter: &Meter) -> Result<T, Fault> {
    match meter.halted() {
        Some(halt) => Err(halt.into()),
        None => answer,
    }
}

impl Ctx {
    /// Reads the last snapshot for work behind the requests, in a thread of its own: it takes no place of a
    /// request and has no budget of one, so its author bounds it. Errors: those of `body`.
    pub async fn read_behind<T, F>(&self, body: F) -> Result<T, Fault>
    where
        F: FnOnce(&View) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let view = self.view();
        spawn_blocking(move || body(&view)).await.map_err(Fault::unexpected)?
    }

    /// Reads `view` for a request that also writes: inline at first, then from the start in the pool. Errors:
    /// 400 beyond the key budget, 503 if the queue is full, and those of `body`.
    pub async fn read<T, F>(&self, view: &View, body: F) -> Result<T, Fault>
    where
        F: Fn(&View) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let limits = self.config().reads;
        let meter = Arc::new(Meter::new(limits.keys_inline_max));
        let view = view.clone().metered(&meter);
        let mut answer = body(&view);
        if meter.halted().is_some() {
            answer = match self.pool().slot() {
                Some(slot) => {
                    let again = self.pool().run(slot, &limits, &meter, move || body(&view)).await;
                    again.and_then(|answer| settled(answer, &meter))
                }
                None => Err(full()),
            };
        }
        if let Some(of_request) = &self.meter {
            of_request.add(&meter);
        }
        answer
    }
}
