//! Verifies the store of every test's application on drop, so that no test leaves damage unnoticed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use atoll_kernel::{
    Ctx, StoreError,
    verify::{Findings, Report},
};

/// Most findings that a failed test shows.
const N_SHOWN_MAX: usize = 20;

/// Verifies the store of an application on drop.
pub(crate) struct VerifiedAtEnd {
    ctx: Ctx,
    is_off: AtomicBool,
}

impl VerifiedAtEnd {
    pub(crate) fn new(ctx: Ctx) -> VerifiedAtEnd {
        VerifiedAtEnd { ctx, is_off: AtomicBool::new(false) }
    }

    pub(crate) fn switch_off(&self) {
        self.is_off.store(true, Ordering::Relaxed);
    }
}

/// Verifies the store as it is now.
pub(crate) fn verify(ctx: &Ctx) -> Result<Report, StoreError> {
    ctx.registry().verify(ctx.view(), ctx.now(), Findings::new(N_SHOWN_MAX, Arc::default()))
}

impl Drop for VerifiedAtEnd {
    fn drop(&mut self) {
        if self.is_off.load(Ordering::Relaxed) || thread::panicking() {
            return;
        }
        match verify(&self.ctx) {
            Ok(report) => assert!(report.n_findings == 0, "what the test left behind: {report:#?}"),
            // A faulty engine fails on purpose, and a closed file cannot be read.
            Err(StoreError::Engine(error)) if error.contains("on purpose") => {}
            Err(StoreError::Engine(_)) if self.ctx.store().has_stopped() => {}
            Err(error) => panic!("the store was not verified: {error}"),
        }
    }
}
