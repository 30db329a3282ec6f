//! What a job is: a function that is called when its time has come.

use std::{future::Future, pin::Pin};

use crate::{Ctx, Fault, Schedule, Timestamp};

/// Runs at the moments of a schedule. Several hosts on one store run each moment once; a moment at which none
/// of them was up is reported as missed, and not made up for.
pub struct Job {
    /// `module.verb-object`: `catalogue.refresh-feed`. Its runs are kept under this name.
    pub name: &'static str,
    /// When it runs.
    pub schedule: Schedule,
    /// May a run begin while the one before it is still going on? Where not, its moment counts as missed.
    pub may_overlap: bool,
    /// How often it runs, over all restarts; always, where none.
    pub n_runs_max: Option<u64>,
    /// What it does.
    pub run: JobHandler,
}

/// Which run of a job this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The moment of the schedule. The run itself may begin a little later.
    pub scheduled_for: Timestamp,
    /// How many runs there were with this one.
    pub n_runs: u64,
}

/// An async function of the application and a tick.
pub type JobHandler = fn(Ctx, Tick) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl Job {
    /// A job without limits of its own.
    pub const fn new(name: &'static str, schedule: Schedule, run: JobHandler) -> Job {
        Job { name, schedule, may_overlap: false, n_runs_max: None, run }
    }
}

/// A job, as `job!` submits it.
pub struct JobEntry(pub &'static Job);

inventory::collect!(JobEntry);

/// Registers a job, above the function that it names.
///
/// ```ignore
/// job! { "catalogue.refresh-feed" at "0 0 * * *" => refresh_feed }
/// job! { "mail.send-queued" every Duration::from_secs(30), n_runs_max: Some(10) => send_queued }
///
/// async fn refresh_feed(ctx: Ctx, tick: Tick) -> Result<(), Fault> { … }
/// ```
#[macro_export]
macro_rules! job {
    ($name:literal at $cron:literal $(, $field:ident: $value:expr)* => $run:path) => {
        $crate::job! { @ $name, $crate::Schedule::Cron($cron), $run $(, $field: $value)* }
    };
    ($name:literal every $pause:expr $(, $field:ident: $value:expr)* => $run:path) => {
        $crate::job! { @ $name, $crate::Schedule::Every($pause), $run $(, $field: $value)* }
    };
    (@ $name:literal, $schedule:expr, $run:path $(, $field:ident: $value:expr)*) => {
        const _: () = {
            static JOB: $crate::Job = $crate::Job {
                $($field: $value,)*
                ..$crate::Job::new($name, $schedule, |ctx, tick| Box::pin($run(ctx, tick)))
            };

            $crate::inventory::submit! { $crate::JobEntry(&JOB) }
        };
    };
}
