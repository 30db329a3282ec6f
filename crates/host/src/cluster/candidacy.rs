//! Whether this host may lead (candidacy): by its role, and by what other hosts have made of the data
//! (rolling upgrade).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use atoll_kernel::{Registry, data::Store, migration::Compatibility};

use crate::Role;

/// Whether this host may lead: one that answers requests only does not, nor does one whose program cannot
/// open the data. Clones share it.
#[derive(Clone)]
pub(crate) struct Candidacy(Arc<State>);

struct State {
    compatibility: Compatibility,
    role: Role,
    is_withdrawn: AtomicBool,
}

impl Candidacy {
    pub(crate) fn new(store: Store, registry: &'static Registry, role: Role) -> Candidacy {
        let compatibility = Compatibility::new(store, registry);
        Candidacy(Arc::new(State { compatibility, role, is_withdrawn: AtomicBool::default() }))
    }

    /// May it lead, given the data as it is?
    pub(crate) fn stands(&self) -> bool {
        // Whatever else: this makes the shapes known in which other programs have stored records.
        let can_open = self.0.compatibility.is_current().is_ok();
        can_open && self.0.role != Role::Server && !self.0.is_withdrawn.load(Ordering::Relaxed)
    }

    /// Leaves the leadership to others, or stands again.
    pub(crate) fn withdraw(&self, is_withdrawn: bool) {
        self.0.is_withdrawn.store(is_withdrawn, Ordering::Relaxed);
    }
}
