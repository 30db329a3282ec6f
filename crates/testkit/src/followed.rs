//! A store in memory whose commits are in a log, as those of several hosts are. In the end a follower that
//! has the log alone is what the leader is, byte for byte.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use atoll_host::registry;
use atoll_kernel::data::{Direction, Scan, Space, Store};
use atoll_storage::{
    AppendError, CommitLog, Engine as _, Entry, Span, StoreOptions, View,
    engines::{Content, Memory},
};

/// Commits that a follower applies at a time. Those of a flow are more, and no multiple of it.
const N_APPLIED: usize = 7;

/// A log that takes every commit.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Entry>>>);

impl Log {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommitLog for Log {
    fn append(&mut self, entry: &Entry) -> Result<(), AppendError> {
        self.entries().push(entry.clone());
        Ok(())
    }
}

/// A store that leads, of which a follower is made on drop.
pub(crate) struct Followed {
    leader: Memory,
    log: Log,
    spaces: Vec<Space>,
}

impl Followed {
    /// An empty store in memory, and what follows it.
    pub(crate) async fn open() -> (Store, Followed) {
        let (leader, log) = (Memory::default(), Log::default());
        let spaces = registry().expect("a registry").spaces().to_vec();
        let store = Store::open_replica(leader.clone(), &spaces, StoreOptions::default()).expect("a store");
        store.lead(Box::new(log.clone())).await.expect("it leads");
        store.to_prepare().open_term().await.expect("it leads");
        (store, Followed { leader, log, spaces })
    }

    /// What a host holds that has applied these entries.
    async fn follower(&self, entries: &[Entry]) -> Content {
        let engine = Memory::default();
        let options = StoreOptions::default();
        let store = Store::open_replica(engine.clone(), &self.spaces, options).expect("a store");
        for some in entries.chunks(N_APPLIED) {
            store.apply(some.to_vec()).await.expect("they follow each other");
        }
        store.close();
        content(&engine)
    }
}

/// All keys and values, as they are stored.
fn content(engine: &Memory) -> Content {
    let mut content = Content::new();
    let all = Span { start: Vec::new(), end: None };
    let mut visit = |key: &[u8], value: &[u8]| {
        content.insert(key.to_vec(), value.to_vec());
        Ok(Scan::Continue(()))
    };
    let snapshot = engine.snapshot().expect("a snapshot");
    snapshot.scan(&all, Direction::Ascending, &mut visit, &mut |_, _| Ok(())).expect("a scan");
    content
}

impl Drop for Followed {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        // The background of a test may still commit: what counts is what there is now.
        let leader = self.leader.fork();
        let position = View::look(&leader, &self.spaces).expect("a view").position();
        let entries = self.log.entries()[..position.0 as usize].to_vec();
        // The test may be a task of a runtime, in which no other one can be waited for.
        let follower = thread::scope(|scope| {
            let follow = || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(self.follower(&entries))
            };
            scope.spawn(follow).join().expect("a follower")
        });
        let leader = content(&leader);
        let differs = |(key, value): &(&Vec<u8>, &Vec<u8>)| follower.get(*key) != Some(*value);
        let differing: Vec<_> =
            leader.iter().filter(differs).map(|(key, _)| key.escape_ascii().to_string()).collect();
        assert!(
            differing.is_empty() && follower.len() == leader.len(),
            "a follower is not what the leader is: {} keys for {}; others at {differing:?}",
            follower.len(),
            leader.len()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The control: what is not in the log is noticed.
    #[tokio::test]
    #[should_panic(expected = "a follower is not what the leader is")]
    async fn what_is_not_in_the_log_is_noticed() {
        let (_store, followed) = Followed::open().await;
        followed
            .leader
            .clone()
            .commit(&[(b"key".to_vec(), Some(b"value".to_vec()))].into())
            .expect("a commit");
    }
}
