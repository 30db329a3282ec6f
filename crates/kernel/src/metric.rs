//! Metrics of modules: what a module counts, for Prometheus, beside what the application counts itself.

use crate::{Ctx, Fault};

/// A family of metrics with one label, as `metric!` registers it. It is read when the metrics are asked for.
pub struct Metric {
    /// Its name, with the unit at its end and without the `_total` of counters: `atoll_webhook_attempts`.
    pub name: &'static str,
    /// What it means.
    pub text: &'static str,
    /// Does it only grow, while the process runs?
    pub is_counter: bool,
    /// The name of its label.
    pub label: &'static str,
    /// Its series. Labels are words of the program, so that their number is bounded: no ids.
    pub read: fn(&Ctx) -> Result<Series, Fault>,
}

/// The values of a family, by label.
pub type Series = Vec<(&'static str, u64)>;

/// Registers a metric.
///
/// ```
/// use atoll_kernel::{jobs::Metric, metric};
///
/// metric! { Metric {
///     name: "atoll_letters",
///     text: "Letters that were read, by what became of them",
///     is_counter: false,
///     label: "state",
///     read: |_| Ok(vec![("answered", 3), ("thrown_away", 5)]),
/// } }
/// ```
#[macro_export]
macro_rules! metric {
    ($metric:expr) => {
        const _: () = {
            static METRIC: $crate::jobs::Metric = $metric;

            $crate::register! { $crate::jobs::Metric: &METRIC }
        };
    };
}
