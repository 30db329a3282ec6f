//! One at a time: two runs of a saga with the same transaction id take turns.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

/// Who is running, by saga and transaction id.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<(String, String), Turn>>);

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Turns {
    /// Waits for one's turn; it lasts until the guard is dropped.
    pub(crate) async fn take(&self, workflow: &str, transaction: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Turns that nobody takes or waits for are forgotten.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry((workflow.to_owned(), transaction.to_owned())).or_default().clone()
        };
        turn.lock_owned().await
    }

    /// Does nobody have this turn, or wait for it?
    pub(crate) fn is_free(&self, workflow: &str, transaction: &str) -> bool {
        let turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.get(&(workflow.to_owned(), transaction.to_owned()));
        turn.is_none_or(|it| Arc::strong_count(it) == 1)
    }
}
