//! Where read requests run: inline at first, in a thread pool beyond a number of keys, and never beyond their
//! budget of keys. So short requests are answered at once, and long ones share the processors.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use atoll_http::Disconnect;
use tokio::{
    runtime::Handle,
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use crate::{
    AnswerLimits, Call, Ctx, Fault, Halt, Meter, Reply, Route, View,
    limits::{KEYS_INLINE_MAX, KEYS_MAX, READ_TIMEOUT, READS_WAITING_MAX},
};

/// In how many seconds those who found no place in the line try again.
const RETRY_AFTER_S: u64 = 2;

/// How much one request may read and show, and how much is read at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Keys that a request reads inline.
    pub keys_inline_max: u64,
    /// Keys that it reads at all.
    pub keys_max: u64,
    /// Threads of the pool.
    pub threads: usize,
    /// Requests that wait for one of them.
    pub waiting_max: usize,
    /// For which a request waits and reads.
    pub timeout: Duration,
    /// What an answer may hold.
    pub answer: AnswerLimits,
}

impl Default for ReadLimits {
    fn default() -> Self {
        ReadLimits {
            keys_inline_max: KEYS_INLINE_MAX,
            keys_max: KEYS_MAX,
            threads: available_parallelism().map_or(1, |it| it.get().div_ceil(2)),
            waiting_max: READS_WAITING_MAX,
            timeout: READ_TIMEOUT,
            answer: AnswerLimits::default(),
        }
    }
}

/// The threads for what is not read inline, and the line for them.
pub(crate) struct Pool {
    threads: Arc<Semaphore>,
    /// A place for each request that has a thread or waits for one.
    places: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(limits: &ReadLimits) -> Pool {
        Pool {
            threads: Arc::new(Semaphore::new(limits.threads)),
            places: Arc::new(Semaphore::new(limits.threads + limits.waiting_max)),
        }
    }

    /// Runs `work` in a thread of the pool, whose reading `meter` counts.
    /// Errors: 503 where the line is full, or the time is up.
    async fn run<T: Send + 'static>(
        &self,
        limits: &ReadLimits,
        meter: &Arc<Meter>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Err(Fault::busy("Too much is being read; try again soon", RETRY_AFTER_S));
        };
        let deadline = Instant::now() + limits.timeout;
        let Ok(thread) = timeout_at(deadline, self.threads.clone().acquire_owned()).await else {
            return Err(Halt::TimedOut.into());
        };
        meter.restart(limits.keys_max);
        // What is stopped keeps its thread until it notices, at the next key.
        let work = spawn_blocking(move || {
            let _held = (place, thread);
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

/// Answers a request that only reads. What took more than may be read inline begins again in the pool: that
/// much is little, and a handler is a function that holds what it read, so there is nothing to go on from.
pub(crate) async fn read(
    route: &'static Route,
    mut call: Call,
    disconnect: Disconnect,
) -> Result<Reply, Fault> {
    let ctx = call.app.clone();
    let limits = ctx.config().reads;
    let meter = Arc::new(Meter::new(limits.keys_inline_max));
    call.app = ctx.metered(&meter);
    call.view = call.view.metered(&meter);
    let again = call.clone();
    let answer = (route.handler)(call).await;
    if meter.halted().is_none() {
        return answer;
    }
    let runtime = Handle::current();
    let work = move || runtime.block_on((route.handler)(again));
    tokio::select! {
        answer = ctx.pool().run(&limits, &meter, work) => settled(answer?, &meter),
        () = disconnect => {
            meter.disconnect();
            Err(Halt::Disconnected.into())
        }
    }
}

/// Whatever a handler made of being halted: that it was is the answer.
fn settled<T>(answer: Result<T, Fault>, meter: &Meter) -> Result<T, Fault> {
    match meter.halted() {
        Some(halt) => Err(halt.into()),
        None => answer,
    }
}

impl Ctx {
    /// Reads `view` for a request that does not only read: inline at first, and from the beginning in the
    /// pool if that was not enough. Errors: 400 where it reads too much, 503 where the line for the pool is
    /// full, and what `body` says.
    pub async fn read<T, F>(&self, view: &View, body: F) -> Result<T, Fault>
    where
        F: Fn(&View) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let limits = self.config().reads;
        let meter = Arc::new(Meter::new(limits.keys_inline_max));
        let view = view.clone().metered(&meter);
        let answer = body(&view);
        if meter.halted().is_none() {
            return answer;
        }
        let answer = self.pool().run(&limits, &meter, move || body(&view)).await?;
        settled(answer, &meter)
    }
}
