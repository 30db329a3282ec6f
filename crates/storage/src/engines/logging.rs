//! An engine that logs each commit, so that a test can replay them up to a position.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{Changes, Engine, Position, Raw, StoreError};

/// Any engine, with a log of its commits. It begins empty, so that the n-th commit is the one at position n.
pub struct Logging<N> {
    engine: N,
    log: Log,
}

/// The commits of an engine, the first one first.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<Changes>>>);

/// Keys and values, as they are stored.
pub type Content = BTreeMap<Vec<u8>, Vec<u8>>;

impl<N: Engine> Logging<N> {
    /// Logs the commits of this engine, which is empty. Returns the log, too.
    pub fn over(engine: N) -> (Logging<N>, Log) {
        let log = Log::default();
        (Logging { engine, log: log.clone() }, log)
    }
}

impl Log {
    /// The number of commits so far.
    pub fn n_commits(&self) -> usize {
        self.commits().len()
    }

    /// What is stored after the commit at this position, by replaying all up to it.
    pub fn content_at(&self, position: Position) -> Content {
        let mut content = Content::new();
        self.replay(&mut content, Position::default(), position);
        content
    }

    /// Turns what is stored at the position `from` into what is stored at `to`.
    pub fn replay(&self, content: &mut Content, from: Position, to: Position) {
        let index = |it: Position| usize::try_from(it.0).expect("a position of this log");
        for changes in &self.commits()[index(from)..index(to)] {
            for (key, change) in changes {
                match change {
                    Some(value) => content.insert(key.clone(), value.clone()),
                    None => content.remove(key),
                };
            }
        }
    }

    fn commits(&self) -> MutexGuard<'_, Vec<Changes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<N: Engine> Engine for Logging<N> {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        self.engine.snapshot()
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.engine.commit(changes)?;
        self.log.commits().push(changes.clone());
        Ok(())
    }
}
