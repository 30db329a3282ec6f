//! Whether this host may lead (candidacy): by its role, and by what other hosts have made of the data (rolling
//! upgrade).

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use atoll_kernel::{Registry, data::Store, migration::is_current};
use atoll_storage::Dependencies;

use crate::Role;

/// Whether this host may lead: one that answers requests only does not, nor does one whose program cannot
/// open the data. Clones share it.
#[derive(Clone)]
pub(crate) struct Candidacy(Arc<State>);

struct State {
    store: Store,
    registry: &'static Registry,
    role: Role,
    is_withdrawn: AtomicBool,
    /// Whether the program can open the data, and what that depends on: it is asked at every commit.
    last: Mutex<Option<(Dependencies, bool)>>,
}

impl Candidacy {
    pub(crate) fn new(store: Store, registry: &'static Registry, role: Role) -> Candidacy {
        let (is_withdrawn, last) = (AtomicBool::default(), Mutex::default());
        Candidacy(Arc::new(State { store, registry, role, is_withdrawn, last }))
    }

    /// May it lead, given the data as it is?
    pub(crate) fn stands(&self) -> bool {
        // Whatever else: this makes the shapes known in which other programs have stored records.
        let can_open = self.can_open();
        can_open && self.0.role != Role::Server && !self.0.is_withdrawn.load(Ordering::Relaxed)
    }

    /// Leaves the leadership to others, or stands again.
    pub(crate) fn withdraw(&self, is_withdrawn: bool) {
        self.0.is_withdrawn.store(is_withdrawn, Ordering::Relaxed);
    }

    fn can_open(&self) -> bool {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = atoll_kernel::Timestamp::now;
        if let Some((_, can_open)) = last.as_ref().filter(|(depends, _)| depends.hold(now)) {
            return *can_open;
        }
        let recorder = self.0.store.recorder();
        let view = self.0.store.view().recorded(&recorder);
        let can_open = is_current(&view, self.0.registry).is_ok();
        *last = recorder.dependencies().map(|it| (it, can_open));
        can_open
    }
}
