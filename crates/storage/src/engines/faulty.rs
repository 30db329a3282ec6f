//! Fault injection: an engine that fails at a given operation, over the memory engine.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::{Changes, Direction, Engine, Neighbours, Raw, Span, StoreError, Visit, engines::Memory};

/// The fault to inject. Operations (gets, scans, commits) are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineFault {
    /// No fault.
    None,
    /// The n-th operation fails and does nothing.
    FailAt(usize),
    /// The n-th commit is durable and then fails: a crash before the acknowledgement.
    CrashAfterCommit(usize),
}

/// A crash at a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the commit is durable.
    Before,
    /// After the commit is durable, before it is acknowledged.
    After,
}

/// Lets a test crash the next commit.
#[derive(Clone, Debug, Default)]
pub struct Switch(Arc<Mutex<Option<Crash>>>);

impl Switch {
    /// The next commit crashes.
    pub fn arm(&self, crash: Crash) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(crash);
    }

    fn take(&self) -> Option<Crash> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The memory engine with one fault. What reached the "disk" stays readable through the `Memory` that it was
/// made of.
pub struct Faulty {
    disk: Memory,
    fault: EngineFault,
    n_operations: Arc<AtomicUsize>,
    n_commits: usize,
    switch: Switch,
}

impl Faulty {
    /// Injects `fault` into `disk`.
    pub fn new(disk: Memory, fault: EngineFault) -> Self {
        Faulty { disk, fault, n_operations: Arc::default(), n_commits: 0, switch: Switch::default() }
    }

    /// The switch that makes the next commit crash.
    pub fn switch(&self) -> Switch {
        self.switch.clone()
    }

    /// The number of operations so far: the upper bound for n in a test.
    pub fn operations(&self) -> Arc<AtomicUsize> {
        self.n_operations.clone()
    }
}

fn count(n_operations: &AtomicUsize, fault: EngineFault) -> Result<(), StoreError> {
    let n = n_operations.fetch_add(1, Ordering::Relaxed) + 1;
    if fault == EngineFault::FailAt(n) {
        Err(StoreError::Engine(format!("operation {n} fails on purpose")))
    } else {
        Ok(())
    }
}

impl Engine for Faulty {
    fn snapshot(&self) -> Result<Arc<dyn Raw>, StoreError> {
        let raw = self.disk.snapshot()?;
        Ok(Arc::new(Snapshot { raw, fault: self.fault, n_operations: self.n_operations.clone() }))
    }

    fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        count(&self.n_operations, self.fault)?;
        let crash = self.switch.take();
        if crash == Some(Crash::Before) {
            return Err(StoreError::Engine("crash before a commit on purpose".into()));
        }
        self.disk.commit(changes)?;
        if crash == Some(Crash::After) {
            return Err(StoreError::Engine("crash after a commit on purpose".into()));
        }
        self.n_commits += 1;
        if self.fault == EngineFault::CrashAfterCommit(self.n_commits) {
            return Err(StoreError::Engine(format!("crash after commit {} on purpose", self.n_commits)));
        }
        Ok(())
    }
}

struct Snapshot {
    raw: Arc<dyn Raw>,
    fault: EngineFault,
    n_operations: Arc<AtomicUsize>,
}

impl Raw for Snapshot {
    fn get(&self, key: &[u8], neighbours: &mut Neighbours<'_>) -> Result<Option<Vec<u8>>, StoreError> {
        count(&self.n_operations, self.fault)?;
        self.raw.get(key, neighbours)
    }

    fn scan(
        &self,
        span: &Span,
        direction: Direction,
        visit: &mut Visit<'_>,
        neighbours: &mut Neighbours<'_>,
    ) -> Result<(), StoreError> {
        count(&self.n_operations, self.fault)?;
        self.raw.scan(span, direction, visit, neighbours)
    }

    fn n_entries(&self) -> Result<u64, StoreError> {
        self.raw.n_entries()
    }
}
