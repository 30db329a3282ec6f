//! Time of flows on the writer's thread, for metrics.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use atoll_storage::{Buckets, Histogram};

/// The time that each flow takes in its transaction. There are as many as are linked in.
#[derive(Default)]
pub(crate) struct FlowTimes {
    are_counted: AtomicBool,
    by_flow: RwLock<BTreeMap<&'static str, Arc<Histogram>>>,
}

impl FlowTimes {
    /// Counts from now on.
    pub(crate) fn count(&self) {
        self.are_counted.store(true, Ordering::Relaxed);
    }

    /// Runs a flow, or a step of a saga, and counts its time.
    pub(crate) fn timed<T>(&self, flow: &'static str, run: impl FnOnce() -> T) -> T {
        if !self.are_counted.load(Ordering::Relaxed) {
            return run();
        }
        let begun = Instant::now();
        let ran = run();
        self.of(flow).record_ns(begun.elapsed());
        ran
    }

    fn of(&self, flow: &'static str) -> Arc<Histogram> {
        let known = self.by_flow.read().unwrap_or_else(PoisonError::into_inner).get(flow).cloned();
        known.unwrap_or_else(|| {
            self.by_flow.write().unwrap_or_else(PoisonError::into_inner).entry(flow).or_default().clone()
        })
    }

    /// The times in nanoseconds, by the name of the flow.
    pub(crate) fn all(&self) -> Vec<(&'static str, Buckets)> {
        let by_flow = self.by_flow.read().unwrap_or_else(PoisonError::into_inner);
        by_flow.iter().map(|(flow, it)| (*flow, it.buckets())).collect()
    }
}
