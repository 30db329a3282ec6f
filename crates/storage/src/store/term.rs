//! The terms of a host as leader: which handles of the store write in which of them, and when (leadership).

use std::sync::atomic::{AtomicU64, Ordering};

use crate::StoreError;

/// The terms of a host. The number of a term is odd while the term is being prepared, and the next even one
/// once it is open to all who write; a host alone stays at zero, which is open.
#[derive(Default)]
pub(super) struct Terms(AtomicU64);

/// What a handle may write: in one term, and from when on in it.
#[derive(Clone, Copy)]
pub(super) struct Term {
    /// Any number of the term.
    number: u64,
    prepares: bool,
}

impl Terms {
    /// Begins another term, which is to be prepared. On the writer's thread.
    pub(super) fn begin(&self) {
        self.0.store((self.current() + 1) | 1, Ordering::Relaxed);
    }

    /// Opens the term that is being prepared. On the writer's thread.
    pub(super) fn open(&self) {
        self.0.store(self.current().next_multiple_of(2), Ordering::Relaxed);
    }

    /// The current term, for who writes in it alone.
    pub(super) fn this(&self, prepares: bool) -> Term {
        Term { number: self.current(), prepares }
    }

    /// Has another term begun since that of the handle?
    pub(super) fn is_over(&self, handle: Option<Term>) -> bool {
        handle.is_some_and(|it| it.number.div_ceil(2) != self.current().div_ceil(2))
    }

    /// May a handle of this term write now? One of none writes in each that is open.
    pub(super) fn check(&self, handle: Option<Term>) -> Result<(), StoreError> {
        let refused = |why: &str| Err(StoreError::NotWritten(why.into()));
        match handle {
            _ if self.is_over(handle) => refused("another host has led since this began"),
            Some(Term { prepares: true, .. }) => Ok(()),
            _ if self.current() % 2 == 1 => refused("this host begins to lead"),
            _ => Ok(()),
        }
    }

    fn current(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_prepares_a_term_writes_first() {
        let terms = Terms::default();
        let of_none = || terms.check(None).is_ok();
        let alone = terms.this(false);
        assert!(of_none() && terms.check(Some(alone)).is_ok());
        terms.begin();
        let (first, prepares) = (terms.this(false), terms.this(true));
        let may = |it: Term| terms.check(Some(it)).is_ok();
        assert!(!of_none() && !may(alone) && !may(first) && may(prepares));
        terms.open();
        assert!(of_none() && !may(alone) && may(first) && may(prepares));
        terms.open();
        assert!(may(first), "it is open already");
        terms.begin();
        assert!(!of_none() && !may(first) && !may(prepares));
        // It was never opened.
        let second = terms.this(true);
        terms.begin();
        assert!(!may(second) && may(terms.this(true)));
        assert!(
            terms.is_over(Some(second)) && !terms.is_over(Some(terms.this(true))) && !terms.is_over(None)
        );
    }
}
