//! A store in memory whose commits are in a log, as those of several hosts are: in memory, or in PostgreSQL.
//! In the end a follower that has the log alone is what the leader is, byte for byte.

use std::thread;

use atoll_host::registry;
use atoll_kernel::data::{Direction, Scan, Space, Store};
use atoll_storage::{
    Engine as _, MemoryLog, Position, Span, StoreOptions, View,
    engines::{Content, Memory},
};

#[cfg(feature = "postgres")]
use crate::postgres::Schema;

/// Commits that a follower applies at a time. Those of a flow are more, and no multiple of it.
const N_APPLIED: usize = 7;

/// Where the commits of a store are.
enum Log {
    InMemory(MemoryLog),
    #[cfg(feature = "postgres")]
    Postgres(Schema),
}

impl Log {
    /// The log of this store, which leads from now on.
    async fn led_by(store: &Store) -> Log {
        #[cfg(feature = "postgres")]
        if let Some(schema) = Schema::of_environment(store).await {
            return Log::Postgres(schema);
        }
        let log = MemoryLog::default();
        store.lead(log.begin_term()).await.expect("it leads");
        Log::InMemory(log)
    }

    /// Ends what can be ended: the background of a test may still commit in memory.
    async fn end(&mut self) {
        match self {
            Log::InMemory(_) => {}
            #[cfg(feature = "postgres")]
            Log::Postgres(schema) => schema.end().await,
        }
    }

    /// What a host holds that has followed up to this commit.
    async fn follower(&self, spaces: &[Space], position: Position) -> Content {
        match self {
            Log::InMemory(log) => {
                let (engine, options) = (Memory::default(), StoreOptions::default());
                let store = Store::open_replica(engine.clone(), spaces, options).expect("a store");
                let mut entries = log.after(Position(0));
                entries.truncate(position.0 as usize);
                for some in entries.chunks(N_APPLIED) {
                    store.apply(some.to_vec()).await.expect("they follow each other");
                }
                store.close();
                content(&engine)
            }
            #[cfg(feature = "postgres")]
            Log::Postgres(schema) => schema.follower(spaces, position).await,
        }
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
        let leader = Memory::default();
        let spaces = registry().expect("a registry").spaces().to_vec();
        let store = Store::open_replica(leader.clone(), &spaces, StoreOptions::default()).expect("a store");
        let log = Log::led_by(&store).await;
        store.to_prepare().open_term().await.expect("it leads");
        (store, Followed { leader, log, spaces })
    }
}

/// All keys and values, as they are stored.
pub(crate) fn content(engine: &Memory) -> Content {
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

/// Waits where nothing can be awaited: the test may be a task of a runtime, in which no other one can be
/// waited for.
pub(crate) fn wait_for<T: Send>(it: impl Future<Output = T> + Send) -> T {
    let wait = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(it)
    };
    thread::scope(|scope| scope.spawn(wait).join().expect("no panic"))
}

impl Drop for Followed {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        wait_for(self.log.end());
        // What counts is what there is now.
        let leader = self.leader.fork();
        let position = View::look(&leader, &self.spaces).expect("a view").position();
        let follower = wait_for(self.log.follower(&self.spaces, position));
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
