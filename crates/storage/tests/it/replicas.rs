//! Replicas: stores whose commits are in a log that they share. One leads, the others apply.

use std::path::Path;

use atoll_storage::{
    Changes, Cut, Engine as _, KeyBuf, MemoryLog, Position, Read as _, STORE_FORMAT, Space, Standing, Store,
    StoreError, StoreOptions, View, Write, WriteKeys,
    engines::{Crash, EngineFault, Faulty, Memory, Redb},
};
use atoll_values::Timestamp;

use crate::SPACES;

/// A log, and the hosts that share it.
#[derive(Default)]
struct Shared(MemoryLog);

impl Shared {
    /// Catches up and leads in a new term, which is open to all.
    async fn lead(&self, store: &Store) {
        self.begin(store).await.open_term().await.expect("it leads");
    }

    /// Catches up and leads in a new term. Returns the handle of who prepares it.
    async fn begin(&self, store: &Store) -> Store {
        self.try_to_lead(store).await.expect("it begins to lead");
        store.to_prepare()
    }

    async fn try_to_lead(&self, store: &Store) -> Result<View, StoreError> {
        let term = self.0.begin_term();
        self.catch_up(store).await;
        store.lead(term).await
    }

    /// Applies what the log has, some entries at a time.
    async fn catch_up(&self, store: &Store) -> View {
        for some in self.0.after(store.view().position()).chunks(3) {
            store.apply(some.to_vec()).await.expect("they follow");
        }
        store.view()
    }
}

fn replica(engine: impl atoll_storage::Engine, spaces: &[Space]) -> Store {
    Store::open_replica(engine, spaces, StoreOptions::default()).expect("a store")
}

fn put(tx: &mut dyn Write, key: u8) -> Result<(), StoreError> {
    let key = KeyBuf::new(tx.prefix("test")).tail(&[key]).into_bytes();
    tx.put(key, b"x".to_vec());
    Ok(())
}

async fn write(store: &Store, key: u8) -> Result<Position, StoreError> {
    Ok(store.commit(move |tx: &mut dyn Write| put(tx, key)).await?.1.position())
}

fn has(view: &View, key: u8) -> bool {
    let key = KeyBuf::new(view.prefix("test")).tail(&[key]).into_bytes();
    view.get(&key).expect("a read").is_some()
}

#[tokio::test]
async fn followers_hold_what_the_leader_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Shared::default();
    let file = folder.path().join("replica.redb");
    let (leader, follower) =
        (replica(Memory::default(), SPACES), replica(Redb::open(&file).expect("a file"), SPACES));
    assert_eq!(*follower.standing().borrow(), Standing::Follows);
    assert!(!has(&follower.view(), 1), "a space that nobody has registered is empty");
    let refused = write(&follower, 1).await.expect_err("it follows");
    assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    log.lead(&leader).await;
    for key in 0..10 {
        assert_eq!(write(&leader, key).await.expect("a commit"), Position(u64::from(key) + 2));
    }
    let view = log.catch_up(&follower).await;
    assert_eq!(view.position(), leader.view().position());
    assert!((0..10).all(|key| has(&view, key)));
    follower.close();
    let follower = replica(Redb::open(&file).expect("a file"), SPACES);
    assert_eq!(follower.view().position(), leader.view().position(), "closing flushes");
    assert!(write(&leader, 11).await.is_ok());
    assert!(has(&log.catch_up(&follower).await, 11), "it goes on where it was");
}

#[tokio::test]
async fn deposed_leader_writes_nothing_and_follows() {
    let log = Shared::default();
    let (first, second) = (replica(Memory::default(), SPACES), replica(Memory::default(), SPACES));
    log.lead(&first).await;
    write(&first, 1).await.expect("a commit");
    log.lead(&second).await;
    write(&second, 2).await.expect("a commit");
    let refused = write(&first, 3).await.expect_err("another host leads");
    assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    assert_eq!(*first.standing().borrow(), Standing::Follows);
    let view = log.catch_up(&first).await;
    assert!(has(&view, 2) && !has(&view, 3));
    let first_entry = log.0.after(Position(0))[0].clone();
    let refused = second.apply(vec![first_entry]).await.map(drop).expect_err("it leads");
    assert!(matches!(refused, StoreError::Diverged { .. }), "{refused}");
    write(&second, 4).await.expect("it goes on");
}

#[tokio::test]
async fn what_was_begun_in_an_earlier_term_writes_nothing() {
    let log = Shared::default();
    let (first, second) = (replica(Memory::default(), SPACES), replica(Memory::default(), SPACES));
    log.lead(&first).await;
    let begun = first.of_this_term();
    write(&begun, 1).await.expect("it leads");
    log.lead(&second).await;
    write(&second, 2).await.expect("it leads");
    // The first one leads again: what it began before may have been done elsewhere.
    first.follow().await.expect("it follows");
    log.lead(&first).await;
    let refused = write(&begun, 3).await.expect_err("another host has led");
    assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    write(&first.of_this_term(), 4).await.expect("it was begun in this term");
    assert!(!has(&first.view(), 3));
}

#[tokio::test]
async fn nobody_writes_before_the_term_is_prepared() {
    let log = Shared::default();
    let store = replica(Memory::default(), SPACES);
    let begun = log.begin(&store).await;
    assert_eq!(*store.standing().borrow(), Standing::Prepares);
    let request = store.of_this_term();
    for other in [&store, &request] {
        let refused = write(other, 1).await.expect_err("it is not open");
        assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
        let refused = other.open_term().await.map(drop).expect_err("it does not prepare");
        assert!(matches!(refused, StoreError::NotWritten(_)), "{refused}");
    }
    write(&begun, 2).await.expect("it prepares");
    // Of one batch some are refused, and the others written.
    let (refused, written) = tokio::join!(write(&request, 3), write(&begun, 4));
    assert!(refused.is_err() && written.is_ok());
    begun.open_term().await.expect("it is prepared");
    assert_eq!(*store.standing().borrow(), Standing::Leads);
    for (n, any) in [&store, &request, &begun].into_iter().enumerate() {
        write(any, 5 + n as u8).await.expect("it is open");
    }
    let written: Vec<u8> = (1..8).filter(|key| has(&store.view(), *key)).collect();
    assert_eq!(written, [2, 4, 5, 6, 7]);
    // A term that has ended is not opened.
    let begun = log.begin(&store).await;
    store.follow().await.expect("it follows");
    assert!(begun.open_term().await.is_err());
    let next = log.begin(&store).await;
    assert!(begun.open_term().await.is_err(), "another one has begun");
    assert!(write(&begun, 9).await.is_err() && write(&request, 9).await.is_err());
    write(&next, 9).await.expect("it prepares");
}

#[tokio::test]
async fn commit_without_an_answer_is_looked_up_in_the_log() {
    for (cut, is_there) in [(Cut::Before, false), (Cut::After, true)] {
        let log = Shared::default();
        let store = replica(Memory::default(), SPACES);
        log.lead(&store).await;
        log.0.cut(cut);
        let unknown = write(&store, 1).await.expect_err("no answer");
        assert!(matches!(unknown, StoreError::Unknown(_)), "{unknown}");
        assert!(!has(&store.view(), 1), "what may not be there is not shown");
        log.lead(&store).await;
        assert_eq!(has(&store.view(), 1), is_there);
        write(&store, 2).await.expect("it leads again");
    }
}

#[tokio::test]
async fn log_that_lost_commits_is_noticed() {
    let log = Shared::default();
    let (leader, follower) = (replica(Memory::default(), SPACES), replica(Memory::default(), SPACES));
    log.lead(&leader).await;
    write(&leader, 1).await.expect("a commit");
    log.catch_up(&follower).await;
    // The last commit is lost, and others take its place.
    log.0.lose_last();
    let other = replica(Memory::default(), SPACES);
    log.lead(&other).await;
    for key in [2, 3] {
        write(&other, key).await.expect("a commit");
    }
    let next = log.0.after(Position(2))[0].clone();
    assert_eq!(next.position, follower.view().position().next());
    let diverged = follower.apply(vec![next]).await.map(drop).expect_err("it follows on another commit");
    assert!(matches!(diverged, StoreError::Diverged { position } if position == Position(3)), "{diverged}");
    assert!(has(&follower.view(), 1) && !has(&follower.view(), 3), "nothing of it was applied");
}

/// A newer program leads, and registers a space that this one learns of when it is there.
#[tokio::test]
async fn spaces_are_learned_from_the_log() {
    let spaces = [SPACES, &["new"]].concat();
    let log = Shared::default();
    let (old, newer, follower) = (
        replica(Memory::default(), SPACES),
        replica(Memory::default(), &spaces),
        replica(Memory::default(), &spaces),
    );
    log.lead(&old).await;
    let before = log.catch_up(&follower).await.prefix("new");
    log.catch_up(&newer).await;
    log.lead(&newer).await;
    let after = log.catch_up(&follower).await.prefix("new");
    assert_ne!(before, after);
    assert_eq!(after, newer.view().prefix("new"));
    old.follow().await.expect("it follows");
    log.catch_up(&old).await;
}

#[tokio::test]
async fn who_waits_for_a_position_gets_it() {
    let log = Shared::default();
    let (leader, follower) = (replica(Memory::default(), SPACES), replica(Memory::default(), SPACES));
    log.lead(&leader).await;
    let position = write(&leader, 1).await.expect("a commit");
    let waiting = tokio::spawn({
        let follower = follower.clone();
        async move { follower.reached(position).await.map(|view| has(&view, 1)) }
    });
    log.catch_up(&follower).await;
    assert!(waiting.await.expect("no panic").expect("a view"));
}

#[tokio::test]
async fn transactions_of_the_next_leader_are_not_earlier() {
    let log = Shared::default();
    let (first, second) = (replica(Memory::default(), SPACES), replica(Memory::default(), SPACES));
    let write = async |store: &Store, at_ms: i64| {
        let body = |tx: &mut dyn Write| put(tx, 1);
        store.commit_at(Timestamp::from_millis(at_ms), body).await.expect("a commit");
    };
    log.lead(&first).await;
    assert_eq!(first.not_before(), Timestamp::MIN, "there was none before");
    write(&first, 9_000).await;
    write(&first, 8_000).await;
    assert_eq!(first.not_before(), Timestamp::MIN, "its own clock may be set back, as that of a host alone");
    log.lead(&second).await;
    assert_eq!(second.not_before(), Timestamp::from_millis(9_000));
    write(&second, 5_000).await;
    first.follow().await.expect("it follows");
    log.lead(&first).await;
    assert_eq!(first.not_before(), Timestamp::from_millis(9_000));
}

/// What several hosts have served is served by one from then on.
#[tokio::test]
async fn transactions_of_a_host_alone_are_not_earlier_than_those_of_several() {
    let log = Shared::default();
    let engine = Memory::default();
    let store = replica(engine.clone(), SPACES);
    log.lead(&store).await;
    store.commit_at(Timestamp::from_millis(9_000), |tx: &mut dyn Write| put(tx, 1)).await.expect("a commit");
    store.close();
    let alone = Store::open(engine, SPACES).expect("a store");
    assert_eq!(alone.not_before(), Timestamp::from_millis(9_000));
    alone.close();
}

#[tokio::test]
async fn replica_is_flushed_when_it_is_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let log = Shared::default();
    let (leader, follower) =
        (replica(Memory::default(), SPACES), replica(Redb::open(&file).expect("a file"), SPACES));
    log.lead(&leader).await;
    let last = write(&leader, 1).await.expect("a commit");
    log.catch_up(&follower).await;
    let on_the_disk = || View::look(&after_a_crash(&file), SPACES).expect("a look").position();
    assert_eq!(on_the_disk(), Position(0), "it would be applied again");
    follower.flush();
    follower.follow().await.expect("what was queued before is done");
    assert_eq!(on_the_disk(), last);
}

/// Small ones, which have few bytes together.
#[test]
fn replica_is_flushed_after_a_thousand_commits() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("replica.redb");
    let mut redb = Redb::open(&file).expect("a file");
    let mut apply = |n: u64| {
        redb.apply(&Changes::from([(n.to_be_bytes().to_vec(), Some(Vec::new()))])).expect("a commit");
    };
    let n_after_a_crash = || {
        let found = after_a_crash(&file);
        found.snapshot().expect("a snapshot").n_entries().expect("a number")
    };
    (1..1_000).for_each(&mut apply);
    assert_eq!(n_after_a_crash(), 0, "they would be applied again");
    apply(1_000);
    assert_eq!(n_after_a_crash(), 1_000);
}

/// What the disk has of a file that is open.
fn after_a_crash(file: &Path) -> Redb {
    let crashed = file.with_extension("crashed");
    std::fs::copy(file, &crashed).expect("a copy");
    Redb::open(&crashed).expect("it is repaired")
}

#[tokio::test]
async fn commit_that_the_log_does_not_take_ends_no_term() {
    let log = Shared::default();
    let store = replica(Memory::default(), SPACES);
    log.lead(&store).await;
    let of_this_term = store.of_this_term();
    log.0.cut(Cut::Failed);
    let refused = write(&store, 1).await.expect_err("the disk is full");
    assert!(matches!(&refused, StoreError::Refused(why) if why.contains("full")), "{refused}");
    assert_eq!(*store.standing().borrow(), Standing::Leads);
    write(&of_this_term, 2).await.expect("it leads on");
    assert!(!has(&store.view(), 1) && has(&store.view(), 2));
}

#[tokio::test]
async fn host_that_cannot_register_its_spaces_does_not_lead() {
    for cut in [Cut::Before, Cut::Failed] {
        let log = Shared::default();
        let store = replica(Memory::default(), SPACES);
        log.0.cut(cut);
        log.try_to_lead(&store).await.map(drop).expect_err("its first commit fails");
        assert_eq!(*store.standing().borrow(), Standing::Follows);
        log.lead(&store).await;
        write(&store, 1).await.expect("it leads");
    }
}

/// The log has the commit: that it was written is not to be denied.
#[tokio::test]
async fn commit_in_the_log_that_this_host_cannot_apply_is_unknown() {
    let log = Shared::default();
    let engine = Faulty::new(Memory::default(), EngineFault::None);
    let switch = engine.switch();
    let store = replica(engine, SPACES);
    log.lead(&store).await;
    switch.arm(Crash::Before);
    let unknown = write(&store, 1).await.expect_err("the disk is full");
    assert!(matches!(unknown, StoreError::Unknown(_)), "{unknown}");
    assert!(matches!(store.stopped().await, StoreError::Stopped(_)), "the process ends");
    let other = replica(Memory::default(), SPACES);
    assert!(has(&log.catch_up(&other).await, 1));
}

/// One that is refused by what others of its batch would have written was not refused by what is there.
#[tokio::test]
async fn who_is_refused_is_told_why_though_the_batch_is_lost() {
    let log = Shared::default();
    let store = replica(Memory::default(), SPACES);
    log.lead(&store).await;
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let blocking = async {
        let body =
            move |_: &mut dyn Write| wait.recv().map_err(|error| StoreError::Engine(error.to_string()));
        store.write(body).await
    };
    let refusing =
        || store.write(|_: &mut dyn Write| Err::<(), _>(StoreError::Format("out of stock".into())));
    let going = async {
        log.0.cut(Cut::After);
        go.send(()).expect("it waits");
    };
    let (_, before, written, after, ()) =
        tokio::join!(blocking, refusing(), write(&store, 1), refusing(), going);
    assert!(matches!(before, Err(StoreError::Format(_))), "{before:?}");
    assert!(matches!(written, Err(StoreError::Unknown(_))), "{written:?}");
    assert!(matches!(after, Err(StoreError::NotWritten(_))), "{after:?}");
}

#[tokio::test]
async fn follower_that_does_not_know_the_format_of_the_leader_ends() {
    let log = Shared::default();
    let (newer, follower) = (replica(Memory::default(), SPACES), replica(Memory::default(), SPACES));
    log.lead(&newer).await;
    log.catch_up(&follower).await;
    let body = |tx: &mut dyn Write| {
        tx.put(b"\0\0\0format".to_vec(), (STORE_FORMAT + 1).to_be_bytes().to_vec());
        Ok::<_, StoreError>(())
    };
    newer.write(body).await.expect_err("this program does not know it either");
    let entry = log.0.after(Position(0)).pop().expect("it is in the log");
    let refused = follower.apply(vec![entry]).await.map(drop).expect_err("it is of a newer version");
    assert!(matches!(refused, StoreError::Format(_)), "{refused}");
    let stopped = follower.stopped().await;
    assert!(stopped.to_string().contains("newer version"), "{stopped}");
}

#[tokio::test]
async fn answers_from_before_a_space_was_there_are_forgotten() {
    let spaces = [SPACES, &["new"]].concat();
    let log = Shared::default();
    let (old, newer, follower) = (
        replica(Memory::default(), SPACES),
        replica(Memory::default(), &spaces),
        replica(Memory::default(), &spaces),
    );
    log.lead(&old).await;
    log.catch_up(&follower).await;
    let recorder = follower.recorder();
    let view = follower.view().recorded(&recorder);
    let key = |view: &View| KeyBuf::new(view.prefix("new")).tail(b"1").into_bytes();
    assert_eq!(view.get(&key(&view)).expect("a read"), None);
    let answer = recorder.dependencies().expect("it can be remembered");
    assert!(answer.hold(|| Timestamp::MIN));
    log.catch_up(&newer).await;
    log.lead(&newer).await;
    let body = |tx: &mut dyn Write| {
        let key = KeyBuf::new(tx.prefix("new")).tail(b"1").into_bytes();
        tx.put(key, b"x".to_vec());
        Ok::<_, StoreError>(())
    };
    newer.write(body).await.expect("a commit");
    let view = log.catch_up(&follower).await;
    assert!(view.get(&key(&view)).expect("a read").is_some());
    assert!(!answer.hold(|| Timestamp::MIN), "there is something now");
}
