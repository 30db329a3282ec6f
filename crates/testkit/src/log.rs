//! The log of a test, in memory.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing_subscriber::{filter::LevelFilter, util::SubscriberInitExt};

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
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(level);
        (log, subscriber.with_writer(move || writer.clone()).set_default())
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
