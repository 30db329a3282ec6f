//! `verify` in the background of a running shop: when it began, how far it has come, and what it has found.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::{Ctx, Fault, Timestamp, verify::Report};

/// The verification in the background that was started last, since the start of this process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// When it began; null if none was started.
    pub started_at: Option<Timestamp>,
    /// When it ended; null while it is running.
    pub ended_at: Option<Timestamp>,
    /// Entries that were checked so far.
    pub n_checked: u64,
    /// What was found; null while it is running, and if it did not come to its end.
    pub report: Option<Report>,
    /// Why it did not come to its end.
    pub error: Option<String>,
}

/// The last one, in memory.
#[derive(Default)]
struct Last {
    verification: Mutex<Verification>,
    n_checked: Arc<AtomicU64>,
}

impl Last {
    fn verification(&self) -> MutexGuard<'_, Verification> {
        self.verification.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ctx {
    /// Starts to verify the current state of the store in the background, and keeps so many findings. It goes
    /// on when the caller goes away. Errors: 409 while another verification is running.
    pub fn start_verification(&self, n_kept_max: usize) -> Result<(), Fault> {
        let permit = self.verify_permit()?;
        let (ctx, last) = (self.unmetered(), self.memory::<Last>());
        last.n_checked.store(0, Ordering::Relaxed);
        *last.verification() = Verification { started_at: Some(ctx.now()), ..Verification::default() };
        tokio::spawn(async move {
            let ended = ctx.verify_holding(permit.clone(), n_kept_max, last.n_checked.clone()).await;
            let mut verification = last.verification();
            verification.ended_at = Some(ctx.now());
            match ended {
                Ok(report) => verification.report = Some(report),
                Err(fault) => verification.error = Some(fault.to_string()),
            }
            drop(permit);
        });
        Ok(())
    }

    /// The verification in the background that was started last.
    pub fn verification(&self) -> Verification {
        let last = self.memory::<Last>();
        let n_checked = last.n_checked.load(Ordering::Relaxed);
        Verification { n_checked, ..last.verification().clone() }
    }
}
