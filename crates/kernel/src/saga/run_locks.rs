//! Run locks: a mutex per saga run, so that two runs with the same transaction id do not race; and a
//! semaphore that keeps resumed runs (after a crash, a time-out, a retry) from taking all resources from the
//! requests that wait for theirs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Runs that the background resumes at the same time.
const N_RESUMED_MAX: usize = 32;

/// Locks in memory: saga runs never leave their process.
pub(crate) struct RunLocks {
    locks: Mutex<HashMap<(String, String), RunLock>>,
    permits: Arc<Semaphore>,
}

type RunLock = Arc<tokio::sync::Mutex<()>>;

impl Default for RunLocks {
    fn default() -> Self {
        RunLocks { locks: Mutex::default(), permits: Arc::new(Semaphore::new(N_RESUMED_MAX)) }
    }
}

impl RunLocks {
    /// Waits for a permit to resume a run. Dropping it releases it.
    pub(crate) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().acquire_owned().await.ok()
    }

    /// A permit to resume a run, if one is free.
    pub(crate) fn try_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.permits.clone().try_acquire_owned().ok()
    }

    /// Waits for the lock of a run. Dropping the guard releases it.
    pub(crate) async fn lock(&self, workflow: &str, transaction: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that no run holds or waits for are dropped here, so that the map does not grow.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.entry((workflow.to_owned(), transaction.to_owned())).or_default().clone()
        };
        lock.lock_owned().await
    }

    /// True when no run holds this lock or waits for it.
    pub(crate) fn is_free(&self, workflow: &str, transaction: &str) -> bool {
        let locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = locks.get(&(workflow.to_owned(), transaction.to_owned()));
        lock.is_none_or(|it| Arc::strong_count(it) == 1)
    }
}
