//! Scheduled jobs: functions that run by a cron pattern or at an interval.

use std::{future::Future, pin::Pin};

use crate::{Ctx, Fault, Timestamp, jobs::Schedule};

/// A function that runs at the times of a schedule. If several hosts share one store, each time is run once;
/// a time at which no host was up is recorded as missed, and not made up for.
pub struct Job {
    /// `module.verb-object`: `catalogue.refresh-feed`. Its runs are stored under this name.
    pub name: &'static str,
    /// When it runs.
    pub schedule: Schedule,
    /// May a run begin while the one before it is still going on? If not, its time counts as missed.
    pub may_overlap: bool,
    /// Upper bound of runs, over all restarts; unlimited by default.
    pub n_runs_max: Option<u64>,
    /// The function.
    pub run: JobHandler,
}

/// A run of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The time of the schedule. The run itself may begin a little later.
    pub scheduled_for: Timestamp,
    /// Number of this run, from 1.
    pub n_runs: u64,
}

/// An async function of the application and a tick.
pub type JobHandler = fn(Ctx, Tick) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;

impl Job {
    /// A job with unlimited runs that do not overlap.
    pub const fn new(name: &'static str, schedule: Schedule, run: JobHandler) -> Job {
        Job { name, schedule, may_overlap: false, n_runs_max: None, run }
    }
}

/// Registers a job, above the function that it names.
///
/// ```
/// use std::time::Duration;
///
/// use atoll_kernel::{Ctx, Fault, job, jobs::Tick};
///
/// job! { "catalogue.refresh-feed" at "0 0 * * *" => refresh_feed }
/// job! { "mail.send-queued" every Duration::from_secs(30), n_runs_max: Some(10) => send_queued }
///
/// async fn refresh_feed(ctx: Ctx, tick: Tick) -> Result<(), Fault> {
///     Ok(())
/// }
///
/// async fn send_queued(ctx: Ctx, tick: Tick) -> Result<(), Fault> {
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! job {
    ($name:literal at $cron:literal $(, $field:ident: $value:expr)* => $run:path) => {
        $crate::job! { @ $name, $crate::jobs::Schedule::Cron($cron), $run $(, $field: $value)* }
    };
    ($name:literal every $pause:expr $(, $field:ident: $value:expr)* => $run:path) => {
        $crate::job! { @ $name, $crate::jobs::Schedule::Every($pause), $run $(, $field: $value)* }
    };
    ($name:literal by $setting:literal $(, $field:ident: $value:expr)* => $run:path) => {
        $crate::job! { @ $name, $crate::jobs::Schedule::Setting($setting), $run $(, $field: $value)* }
    };
    (@ $name:literal, $schedule:expr, $run:path $(, $field:ident: $value:expr)*) => {
        const _: () = {
            static JOB: $crate::jobs::Job = $crate::jobs::Job {
                $($field: $value,)*
                ..$crate::jobs::Job::new($name, $schedule, |ctx, tick| Box::pin($run(ctx, tick)))
            };

            $crate::register! { $crate::jobs::Job: &JOB }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a job is written in one of these ways, with its fields, if any, before the arrow:\n\
             \x20   \"catalogue.refresh-feed\" at \"0 0 * * *\" => async_function\n\
             \x20   \"mail.send-queued\" every Duration::from_secs(30), may_overlap: true => async_function\n\
             \x20   \"backup.create\" by \"backup_schedule\" => async_function, a setting of the host"
        );
    };
}
