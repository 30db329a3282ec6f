//! How far an export or import has come; by it, it is stopped, too.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use atoll_kernel::StoreError;
use atoll_storage::Halt;

/// How far an export or import has come.
#[derive(Debug, Default)]
pub struct Progress {
    n_done: AtomicU64,
    n_lines: AtomicU64,
    is_stopped: AtomicBool,
}

impl Progress {
    /// Lines that were written or read so far.
    pub fn n_done(&self) -> u64 {
        self.n_done.load(Ordering::Relaxed)
    }

    /// Lines that there are; 0 before they are counted.
    pub fn n_lines(&self) -> u64 {
        self.n_lines.load(Ordering::Relaxed)
    }

    /// Stops it at its next line; nothing is left of it.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn expect(&self, n_lines: u64) {
        self.n_lines.store(n_lines, Ordering::Relaxed);
    }

    /// Counts a line. Errors: it was stopped.
    pub(crate) fn count(&self) -> Result<(), StoreError> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return Err(StoreError::Halted(Halt::Cancelled));
        }
        self.n_done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
