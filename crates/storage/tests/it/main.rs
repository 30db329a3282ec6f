//! Tests of the store, on every engine.

mod damage;
mod faults;
mod format;
mod model;
mod transactions;

use atoll_storage::{
    SEQUENCES, Store,
    engines::{Fault, Faulty, Memory, Redb},
};
use tempfile::TempDir;

pub(crate) const SPACES: &[&str] = &["test", "other", atoll_storage::OUTBOX, SEQUENCES];

/// A store on each engine: memory, the faulty one that runs everything twice, and redb in a folder.
pub(crate) fn every_engine() -> Vec<(&'static str, Store, Option<TempDir>)> {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    let twice = Faulty::new(Memory::default(), Fault::RunTwice);
    vec![
        ("memory", Store::open(Memory::default(), SPACES).expect("a store"), None),
        ("runs twice", Store::open(twice, SPACES).expect("a store"), None),
        ("redb", Store::open(Redb::open(&file).expect("a file"), SPACES).expect("a store"), Some(folder)),
    ]
}
