//! Tests of the store, on every engine.

mod backups;
mod damage;
mod faults;
mod format;
mod model;
mod positions;
mod replicas;
mod transactions;

use atoll_storage::{
    SEQUENCES, Store,
    engines::{Memory, Redb},
};
use tempfile::TempDir;

pub(crate) const SPACES: &[&str] = &["test", "other", atoll_storage::OUTBOX, SEQUENCES];

/// A store on each engine: memory, and redb in a folder.
pub(crate) fn every_engine() -> Vec<(&'static str, Store, Option<TempDir>)> {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("test.redb");
    vec![
        ("memory", Store::open(Memory::default(), SPACES).expect("a store"), None),
        ("redb", Store::open(Redb::open(&file).expect("a file"), SPACES).expect("a store"), Some(folder)),
    ]
}
