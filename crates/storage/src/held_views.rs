//! Views that are held, for metrics: each keeps the store from reusing the space of what was deleted since.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use crate::Raw;

/// The snapshots that somebody holds, the oldest first, each with the time of its commit.
#[derive(Debug, Default)]
pub(crate) struct HeldViews(Mutex<Vec<(Instant, Weak<dyn Raw>)>>);

/// Views of earlier commits that are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldSummary {
    /// How many commits they are of.
    pub n_held: usize,
    /// How long ago the oldest of these commits was made.
    pub oldest: Duration,
}

impl HeldViews {
    /// Notes the snapshot of a commit that is published, and forgets those that nobody holds any more.
    pub(crate) fn published(&self, raw: &Arc<dyn Raw>) {
        let mut held = self.held();
        held.push((Instant::now(), Arc::downgrade(raw)));
    }

    /// Those of all commits but the last one, whose view is the published one.
    pub(crate) fn summary(&self) -> HeldSummary {
        let held = self.held();
        let earlier = &held[..held.len().saturating_sub(1)];
        let oldest = earlier.first().map_or(Duration::ZERO, |(at, _)| at.elapsed());
        HeldSummary { n_held: earlier.len(), oldest }
    }

    fn held(&self) -> MutexGuard<'_, Vec<(Instant, Weak<dyn Raw>)>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(_, it)| it.strong_count() > 0);
        held
    }
}
