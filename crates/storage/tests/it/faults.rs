//! The engine fails at the n-th operation, for every n; or crashes after the n-th commit.

use std::sync::atomic::Ordering;

use atoll_storage::{
    KeyBuf, Read, Span, Store, StoreError, Write, WriteKeys,
    engines::{EngineFault, Faulty, Memory},
};

use crate::SPACES;

const N_TRANSACTIONS: u8 = 5;

/// Writes the n-th pair: two keys that must come together or not at all.
fn pair(tx: &mut dyn Write, n: u8) -> Result<(), StoreError> {
    let prefix = tx.prefix("test");
    for half in [0, 1] {
        let key = KeyBuf::new(prefix).tail(&[n, half]).into_bytes();
        // A read, so that reads can fail, too.
        assert_eq!(tx.get(&key)?, None);
        tx.put(key, vec![n]);
    }
    Ok(())
}

/// The numbers of the pairs on the disk; a pair that is torn is an error.
fn pairs_on(disk: &Memory) -> Vec<u8> {
    let store = Store::open(disk.clone(), SPACES).expect("a store");
    let view = store.view();
    let mut halves = Vec::new();
    view.scan(&Span::prefix(&view.prefix("test")), Default::default(), &mut |key, _| {
        halves.push(key[2]);
        Ok(std::ops::ControlFlow::Continue(()))
    })
    .expect("a scan");
    let pairs: Vec<u8> = halves.iter().copied().step_by(2).collect();
    let whole: Vec<u8> = pairs.iter().flat_map(|n| [*n, *n]).collect();
    assert_eq!(halves, whole, "a pair is torn");
    pairs
}

/// Runs all transactions with this fault: which were acknowledged, and how many operations there were.
async fn run(disk: &Memory, fault: EngineFault) -> Option<(Vec<u8>, usize)> {
    let engine = Faulty::new(disk.clone(), fault);
    let operations = engine.operations();
    let store = Store::open(engine, SPACES).ok()?;
    let mut acknowledged = Vec::new();
    for n in 0..N_TRANSACTIONS {
        if store.write(move |tx: &mut dyn Write| pair(tx, n)).await.is_ok() {
            acknowledged.push(n);
        }
    }
    store.close();
    Some((acknowledged, operations.load(Ordering::Relaxed)))
}

#[tokio::test]
async fn failed_operations_leave_transactions_atomic() {
    let (all, n_operations) = run(&Memory::default(), EngineFault::None).await.expect("no fault");
    assert_eq!(all.len(), usize::from(N_TRANSACTIONS));
    let mut n_failed = 0;
    for n in 1..=n_operations {
        let disk = Memory::default();
        let Some((acknowledged, _)) = run(&disk, EngineFault::FailAt(n)).await else { continue };
        assert_eq!(pairs_on(&disk), acknowledged, "operation {n} fails");
        n_failed += usize::from(acknowledged.len() < usize::from(N_TRANSACTIONS));
    }
    assert!(n_failed > 5, "the faults did nothing: {n_failed}");
}

#[tokio::test]
async fn after_a_failed_commit_nothing_is_written_any_more() {
    for n in 2..=4 {
        let disk = Memory::default();
        let (acknowledged, _) = run(&disk, EngineFault::CrashAfterCommit(n)).await.expect("a store");
        // The commit is durable and was not acknowledged: a retry finds it.
        let written = pairs_on(&disk);
        assert_eq!(written.len(), acknowledged.len() + 1, "crash after commit {n}");
        assert!(written.starts_with(&acknowledged));
    }
}

#[tokio::test]
async fn failed_commit_stops_the_store() {
    let store = Store::open(Faulty::new(Memory::default(), EngineFault::CrashAfterCommit(2)), SPACES)
        .expect("a store");
    let failed = store.write(|tx: &mut dyn Write| pair(tx, 0)).await.expect_err("a crash");
    assert!(matches!(failed, StoreError::Stopped(_)), "{failed}");
    assert!(matches!(store.stopped().await, StoreError::Stopped(_)));
    assert!(store.write(|tx: &mut dyn Write| pair(tx, 1)).await.is_err());
}
