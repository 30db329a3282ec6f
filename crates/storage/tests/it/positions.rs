//! Positions: each commit has a number, which every view of it knows, also after a restart.

use atoll_storage::{
    KeyBuf, Position, Store, StoreError, View, Write, WriteKeys,
    engines::{Crash, EngineFault, Faulty, Logging, Memory},
};

use crate::{SPACES, every_engine};

/// Writes one key, or nothing.
async fn write(store: &Store, key: Option<u8>) -> Position {
    let body = move |tx: &mut dyn Write| {
        if let Some(key) = key {
            let key = KeyBuf::new(tx.prefix("test")).tail(&[key]).into_bytes();
            tx.put(key, b"x".to_vec());
        }
        Ok::<_, StoreError>(())
    };
    store.commit(body).await.expect("a commit").1.position()
}

#[tokio::test]
async fn each_commit_has_the_next_position() {
    for (name, store, _folder) in every_engine() {
        // The first commit registers the spaces.
        assert_eq!(store.view().position(), Position(1), "{name}");
        let before = store.view();
        assert_eq!(write(&store, Some(1)).await, Position(2), "{name}");
        assert_eq!(write(&store, None).await, Position(2), "{name}: nothing was written");
        assert_eq!(write(&store, Some(2)).await, Position(3), "{name}");
        assert_eq!((before.position(), store.view().position()), (Position(1), Position(3)), "{name}");
        store.close();
    }
}

#[tokio::test]
async fn positions_go_on_after_a_restart() {
    let disk = Memory::default();
    let store = Store::open(disk.clone(), SPACES).expect("a store");
    write(&store, Some(1)).await;
    store.close();
    assert_eq!(View::look(&disk, SPACES).expect("a look").position(), Position(2));
    let store = Store::open(disk.clone(), SPACES).expect("a store");
    assert_eq!(store.view().position(), Position(2), "a start that changes nothing makes no commit");
    assert_eq!(write(&store, Some(1)).await, Position(3), "the same value again is a commit, too");
    store.close();
    let store = Store::open(disk, &[SPACES, &["new"]].concat()).expect("a store");
    assert_eq!(store.view().position(), Position(4), "a new space is registered by a commit");
}

#[tokio::test]
async fn failed_commit_has_no_position() {
    let disk = Memory::default();
    Store::open(disk.clone(), SPACES).expect("a store").close();
    let engine = Faulty::new(disk.clone(), EngineFault::None);
    let switch = engine.switch();
    let store = Store::open(engine, SPACES).expect("a store");
    switch.arm(Crash::Before);
    let body = |tx: &mut dyn Write| {
        tx.put(KeyBuf::new(tx.prefix("test")).tail(b"a").into_bytes(), Vec::new());
        Ok::<_, StoreError>(())
    };
    store.write(body).await.expect_err("a crash");
    assert_eq!(View::look(&disk, SPACES).expect("a look").position(), Position(1));
}

/// Of many writers at a time, each group is one commit, and the log of the engine has it at its position.
#[tokio::test(flavor = "multi_thread")]
async fn positions_are_the_numbers_of_the_commits_on_the_disk() {
    let (engine, log) = Logging::over(Memory::default());
    let store = Store::open(engine, SPACES).expect("a store");
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for n in 0..50 {
                write(&store, Some(n)).await;
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("a writer");
    }
    let n_commits = log.n_commits() as u64;
    assert_eq!(store.view().position(), Position(n_commits));
    assert!((51..=401).contains(&n_commits), "{n_commits}");
    let found = log.content_at(Position(7));
    assert_eq!(
        found.get(&b"\0\0\0position"[..]).map(|it| it[..8].to_vec()),
        Some(7_u64.to_be_bytes().to_vec())
    );
    store.close();
}
