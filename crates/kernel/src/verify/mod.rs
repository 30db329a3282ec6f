//! `verify`: recomputes what is derived from the records, and reports where the store differs.
//!
//! Tables, indexes, counters, links and projections are checked for whatever is linked in. Rules between
//! records are checks that a crate registers with `check!`: a module those of its own records, a crate above
//! the modules those that join several.

mod background;
mod projection;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use atoll_storage::{Span, decode_record};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    Ctx, Fault, FaultKind, Read, Registry, StoreError, Timestamp,
    data::{Direction, Entity, Scan, Table, View},
    migration::Plan,
};

pub use background::Verification;

pub use atoll_storage::verify::{Finding, Findings, Report, readable};

/// A rule between records that `verify` checks.
pub struct Check {
    /// `area.rule`: `inventory.reserved`.
    pub name: &'static str,
    /// The rule, in one line.
    pub summary: &'static str,
    /// Adds a finding for each record that breaks the rule.
    pub run: fn(&mut Verify<'_>) -> Result<(), StoreError>,
}

/// Registers a check, above the function that it names: the name, what holds, and what looks for records that
/// break it.
///
/// ```
/// use atoll_kernel::{StoreError, check, data::Service, entity, verify::Verify};
///
/// entity! {
///     /// What a buyer says of a product.
///     pub struct Review = "review" / "reviews", "rev" {
///         /// From 1 to 5.
///         pub rating: u32,
///     }
/// }
///
/// static REVIEWS: Service<Review> = Service::new(&[]);
///
/// check! { "review.rating": "A review has a rating from 1 to 5" => ratings }
///
/// fn ratings(it: &mut Verify<'_>) -> Result<(), StoreError> {
///     it.rows(&REVIEWS.table, |it, review| {
///         if !(1..=5).contains(&review.rating) {
///             it.wrong("review.rating", "review", &review.id, review.rating.to_string(), "1 to 5");
///         }
///         Ok(())
///     })
/// }
/// ```
#[macro_export]
macro_rules! check {
    ($name:literal: $summary:literal => $run:path) => {
        const _: () = {
            static CHECK: $crate::verify::Check =
                $crate::verify::Check { name: $name, summary: $summary, run: $run };

            $crate::register! { in CHECKS, $crate::verify::Check: &CHECK }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a check is written\n\
             \x20   \"review.stars\": \"A review has from one to five stars\" => function"
        );
    };
}

/// What a check is given: the state to check, and the list of findings.
pub struct Verify<'a> {
    /// The state of the store.
    pub view: &'a dyn Read,
    /// The time, for rules that depend on it.
    pub now: Timestamp,
    /// What was found.
    pub findings: &'a mut Findings,
}

impl Verify<'_> {
    /// Visits the live rows of a table. A row that cannot be read, or refers to one that cannot, is skipped:
    /// the check of its table reports it.
    pub fn rows<T: Entity>(
        &mut self,
        _: &Table<T>,
        mut visit: impl FnMut(&mut Verify<'_>, T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (view, space) = (self.view, T::DEF.name);
        view.scan(&Span::prefix(&view.prefix(space)), Direction::Ascending, &mut |key, value| {
            self.findings.checked("rows of checks")?;
            let row = decode_record(space, &String::from_utf8_lossy(&key[2..]), value);
            if let Some(row) = readable(row)? {
                readable(visit(self, row))?;
            }
            Ok(Scan::Continue(()))
        })
    }

    /// Adds a finding on the record with this id: the value found, and the one expected.
    pub fn wrong(
        &mut self,
        kind: &'static str,
        space: &'static str,
        id: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        self.findings.add(kind, space, id.as_bytes(), found, expected);
    }
}

impl Registry {
    /// Checks everything that is linked in against this state of the store.
    pub fn verify(&self, view: View, now: Timestamp, findings: Findings) -> Result<Report, StoreError> {
        self.verify_parts(view, now, findings, true)
    }

    /// Checks what can be checked before this migration is done: records, and what it does not build anew.
    /// Rules between records wait, since they are looked up by what it builds.
    pub fn verify_before(
        &self,
        plan: &Plan,
        view: View,
        now: Timestamp,
        findings: Findings,
    ) -> Result<Report, StoreError> {
        let (derived, counted) = plan.rebuilt();
        self.verify_parts(view, now, findings.ignoring(derived, counted), plan.is_done())
    }

    fn verify_parts(
        &self,
        view: View,
        now: Timestamp,
        mut findings: Findings,
        with_rules: bool,
    ) -> Result<Report, StoreError> {
        let view = view.lenient();
        findings.checksums(&view)?;
        let view: &dyn Read = &view;
        for table in self.tables() {
            table.verify(view, &mut findings)?;
        }
        let mut it = Verify { view, now, findings: &mut findings };
        for link in &self.links {
            crate::link::verify(link, &mut it)?;
        }
        for projection in &self.projections {
            projection::verify(projection, &mut it)?;
        }
        for check in self.checks.iter().filter(|_| with_rules) {
            readable((check.run)(&mut it))?;
        }
        Ok(findings.into_report())
    }
}

/// One verification at a time, since each reads the whole store.
struct VerifyLock(Arc<Semaphore>);

impl Default for VerifyLock {
    fn default() -> Self {
        VerifyLock(Arc::new(Semaphore::new(1)))
    }
}

/// Cancels a verification when its caller goes away.
struct Watch(Arc<AtomicBool>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Seconds after which a verification that was cancelled by a shutdown may be retried.
const VERIFY_RETRY_S: u64 = 10;

impl Ctx {
    /// Verifies the current state of the store, on a thread of its own, and keeps so many findings. Cancelled
    /// when the caller goes away, or the client of its request. Errors: 409 while another verification is
    /// running, 503 when the process shuts down.
    pub async fn verify(&self, n_kept_max: usize) -> Result<Report, Fault> {
        self.verify_holding(self.verify_permit()?, n_kept_max, Arc::default()).await
    }

    /// The permit of the verification that may run. Errors: 409 while another one does.
    fn verify_permit(&self) -> Result<Arc<OwnedSemaphorePermit>, Fault> {
        let busy = |_| Fault::new(FaultKind::Conflict, "Another verification is going on");
        self.memory::<VerifyLock>().0.clone().try_acquire_owned().map(Arc::new).map_err(busy)
    }

    /// Verifies, and counts the entries that were checked. The permit is held until the thread has ended.
    async fn verify_holding(
        &self,
        permit: Arc<OwnedSemaphorePermit>,
        n_kept_max: usize,
        n_checked: Arc<AtomicU64>,
    ) -> Result<Report, Fault> {
        let watch = Watch(Arc::default());
        // It reads the whole store, so the limits of a request do not apply.
        let (ctx, stop) = (self.unmetered(), watch.0.clone());
        let run = move || {
            let _held = permit;
            let findings = Findings::new(n_kept_max, stop).counting(n_checked);
            ctx.registry().verify(ctx.view(), ctx.now(), findings)
        };
        tokio::select! {
            report = tokio::task::spawn_blocking(run) => Ok(report.map_err(Fault::unexpected)??),
            () = self.cancelled() => {
                Err(Fault::busy("The verification was cancelled", VERIFY_RETRY_S))
            }
        }
    }
}
