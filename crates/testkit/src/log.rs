//! The log of a test, in memory.

use std::{
    cell::RefCell,
    io,
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, dynamic_filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

thread_local! {
    /// Where this thread logs to, and from which level on.
    static OPEN: RefCell<(LevelFilter, Log)> = RefCell::new((LevelFilter::OFF, Log::default()));
}

/// What is logged, as text.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What this thread logs until the guard is dropped, from the level `info` on.
    pub fn open() -> (Log, impl Drop) {
        Log::of(LevelFilter::INFO)
    }

    /// As `open`, from the level `debug` on.
    pub fn open_debug() -> (Log, impl Drop) {
        Log::of(LevelFilter::DEBUG)
    }

    fn of(level: LevelFilter) -> (Log, impl Drop) {
        listen();
        let log = Log::default();
        OPEN.set((level, log.clone()));
        (log, Opened(PhantomData))
    }

    /// What was logged since it was taken last.
    ///
    /// # Panics
    /// Never: what is logged is text.
    pub fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.bytes())).expect("text")
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guard of a log; of the thread that it was opened on.
struct Opened(PhantomData<*const ()>);

impl Drop for Opened {
    fn drop(&mut self) {
        OPEN.set((LevelFilter::OFF, Log::default()));
    }
}

/// One subscriber of the process hands each line to the log of its thread. With a subscriber of each thread,
/// the thread that comes to a line first decides for all whether anybody listens to it (`tracing-core` asks
/// its own subscriber alone while one is registered), and lines are lost at random.
fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let is_open = dynamic_filter_fn(|line, _| OPEN.with_borrow(|(level, _)| *line.level() <= *level));
        let writer = || OPEN.with_borrow(|(_, log)| log.clone());
        let lines =
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer).with_filter(is_open);
        tracing_subscriber::registry().with(lines).init();
        tracing::callsite::rebuild_interest_cache();
    });
}
