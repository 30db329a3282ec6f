//! How far work that goes over a whole store has come: a backup, an export, an import.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Halt, StoreError};

/// How far it has come; by it the work is stopped, too.
#[derive(Debug, Default)]
pub struct Progress {
    n_done: AtomicU64,
    n_all: AtomicU64,
    is_stopped: AtomicBool,
}

impl Progress {
    /// Keys or lines that are done.
    pub fn n_done(&self) -> u64 {
        self.n_done.load(Ordering::Relaxed)
    }

    /// Keys or lines that there are; 0 before they are counted.
    pub fn n_all(&self) -> u64 {
        self.n_all.load(Ordering::Relaxed)
    }

    /// Stops the work at its next key or line; nothing is left of it.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Is the work to end?
    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// There are so many.
    pub fn expect(&self, n_all: u64) {
        self.n_all.store(n_all, Ordering::Relaxed);
    }

    /// Counts one that is done. Errors: the work was stopped.
    pub fn count(&self) -> Result<(), StoreError> {
        if self.is_stopped() {
            return Err(StoreError::Halted(Halt::Cancelled));
        }
        self.n_done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
