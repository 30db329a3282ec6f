//! One at a time: two runs of a saga with the same transaction id take turns. And a few at a time: runs that are gone on
//! with for themselves leave something to those that somebody waits for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Runs that are gone on with at the same time.
const N_PLACES: usize = 32;

/// Who is running, by saga and transaction id.
pub(crate) struct Turns {
    turns: Mutex<HashMap<(String, String), Turn>>,
    places: Arc<Semaphore>,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Default for Turns {
    fn default() -> Self {
        Turns { turns: Mutex::default(), places: Arc::new(Semaphore::new(N_PLACES)) }
    }
}

impl Turns {
    /// Waits for a place. It is given back when it is dropped.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
    }

    /// A place, if one is free.
    pub(crate) fn free_place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().try_acquire_owned().ok()
    }

    /// Waits for one's turn; it lasts until the guard is dropped.
    pub(crate) async fn take(&self, workflow: &str, transaction: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Turns that nobody takes or waits for are forgotten.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry((workflow.to_owned(), transaction.to_owned())).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Does nobody have this turn, or wait for it?
    pub(crate) fn is_free(&self, workflow: &str, transaction: &str) -> bool {
        let turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.get(&(workflow.to_owned(), transaction.to_owned()));
        turn.is_none_or(|it| Arc::strong_count(it) == 1)
    }
}
