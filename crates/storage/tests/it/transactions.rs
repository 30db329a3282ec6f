//! Transactions: isolation, group commit, panics, reopening.

use atoll_storage::{
    KeyBuf, Read, Store, StoreError, Write, WriteKeys,
    engines::{Memory, Redb},
    next_number,
};
use tempfile::TempDir;

use crate::{SPACES, every_engine};

fn key(tx: &dyn Read, name: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix("test")).tail(name.as_bytes()).into_bytes()
}

async fn put(store: &Store, name: &'static str) -> Result<(), StoreError> {
    store
        .write(move |tx: &mut dyn Write| {
            let key = key(tx, name);
            tx.put(key, b"there".to_vec());
            Ok(())
        })
        .await
}

fn has(store: &Store, name: &str) -> bool {
    let view = store.view();
    view.get(&key(&view, name)).expect("a get").is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failed_or_panicking_body_aborts_itself_alone() {
    for (name, store, _folder) in every_engine() {
        let errs = |tx: &mut dyn Write| {
            let key = key(tx, "err");
            tx.put(key, Vec::new());
            Err::<(), _>(StoreError::Engine("no".into()))
        };
        let panics = |tx: &mut dyn Write| -> Result<(), StoreError> {
            let key = key(tx, "panic");
            tx.put(key, Vec::new());
            panic!("on purpose")
        };
        // All of them wait together, so that they share a commit.
        let (first, err, panic, last) =
            tokio::join!(put(&store, "first"), store.write(errs), store.write(panics), put(&store, "last"));
        assert!(first.is_ok() && last.is_ok(), "{name}");
        assert_eq!(err.expect_err("an error").to_string(), "storage engine: no");
        assert_eq!(panic.expect_err("a panic").to_string(), "transaction panicked: on purpose");
        assert_eq!(
            ["first", "err", "panic", "last"].map(|it| has(&store, it)),
            [true, false, false, true],
            "{name}"
        );
        put(&store, "afterwards").await.expect("the writer goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_transactions_are_serializable() {
    for (name, store, _folder) in every_engine() {
        let mut callers = Vec::new();
        for _ in 0..200 {
            let store = store.clone();
            callers.push(tokio::spawn(async move {
                store.write(|tx: &mut dyn Write| next_number(tx, "counter")).await.expect("a number")
            }));
        }
        let mut numbers = Vec::new();
        for caller in callers {
            numbers.push(caller.await.expect("a caller"));
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=200).collect::<Vec<u64>>(), "{name}");
    }
}

#[tokio::test]
async fn commit_returns_a_snapshot_that_holds_it() {
    for (name, store, _folder) in every_engine() {
        let before = store.view();
        let body = |tx: &mut dyn Write| -> Result<Vec<u8>, StoreError> {
            let key = key(tx, "x");
            tx.put(key.clone(), b"1".to_vec());
            Ok(key)
        };
        let (key, view) = store.commit(body).await.expect("a commit");
        assert_eq!(view.get(&key).expect("a get"), Some(b"1".to_vec()), "{name}");
        assert_eq!(before.get(&key).expect("a get"), None, "{name}: a view does not move");
    }
}

#[tokio::test]
async fn space_prefixes_are_stable_across_restarts() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    let open =
        |spaces: &[&'static str]| Store::open(Redb::open(&file).expect("a file"), spaces).expect("a store");
    let store = open(SPACES);
    put(&store, "x").await.expect("a write");
    let first = SPACES.iter().map(|space| store.view().prefix(space)).collect::<Vec<_>>();
    store.close();
    drop(store);
    // Another program, with more spaces, and in another order.
    let more = ["aardvark", "other", "test", atoll_storage::SEQUENCES, atoll_storage::OUTBOX];
    let store = open(&more);
    assert!(has(&store, "x"));
    assert_eq!(SPACES.iter().map(|space| store.view().prefix(space)).collect::<Vec<_>>(), first);
    assert!(!first.contains(&store.view().prefix("aardvark")));
}

#[tokio::test]
async fn closed_store_refuses_writes_and_keeps_its_data() {
    let disk = Memory::default();
    let store = Store::open(disk.clone(), SPACES).expect("a store");
    put(&store, "x").await.expect("a write");
    store.close();
    store.close();
    assert_eq!(
        put(&store, "y").await.expect_err("it is closed").to_string(),
        "store has stopped: it was closed"
    );
    let again = Store::open(disk, SPACES).expect("a store");
    assert!(has(&again, "x") && !has(&again, "y"));
}

#[tokio::test]
async fn database_file_is_locked_by_one_process() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    let _store = Store::open(Redb::open(&file).expect("a file"), SPACES).expect("a store");
    let Err(refused) = Redb::open(&file) else { panic!("it was opened twice") };
    assert!(refused.to_string().contains("is in use by another process"), "{refused}");
}
