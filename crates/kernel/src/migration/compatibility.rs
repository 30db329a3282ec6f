//! Whether the data is that of this program, which is asked at every request and commit while other hosts
//! change it (rolling upgrade).

use std::sync::{Mutex, PoisonError};

use atoll_storage::Dependencies;

use crate::{Registry, Timestamp, data::Store, migration::is_current};

/// The answer of [`is_current`] to the last commit. It is found anew when what it depends on has changed.
pub struct Compatibility {
    store: Store,
    registry: &'static Registry,
    last: Mutex<Option<(Dependencies, Result<bool, String>)>>,
}

impl Compatibility {
    /// Of this store, for a program that is this.
    pub fn new(store: Store, registry: &'static Registry) -> Compatibility {
        Compatibility { store, registry, last: Mutex::default() }
    }

    /// Is the data as this program leaves it, or would it be migrated? Errors: this program cannot open it;
    /// the text is for operators. The shapes in which other programs have stored records are known from then
    /// on.
    pub fn is_current(&self) -> Result<bool, String> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = last.as_ref().filter(|(depends, _)| depends.hold(Timestamp::now)) {
            return known.clone();
        }
        let recorder = self.store.recorder();
        let view = self.store.view().recorded(&recorder);
        let found = is_current(&view, self.registry).map_err(|error| error.to_string());
        *last = recorder.dependencies().map(|it| (it, found.clone()));
        found
    }
}
